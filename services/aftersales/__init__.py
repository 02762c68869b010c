"""After-sales: cars in our care, their appointments, work orders and complaints."""
