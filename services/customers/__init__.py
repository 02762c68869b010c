"""Customers 客户: who they are, what they agreed to, and all they have done with us."""
