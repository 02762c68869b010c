"""What after-sales shows: bays, cars, appointments, work orders, complaints."""
