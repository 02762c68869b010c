"""Who works where: the read models of identity."""
