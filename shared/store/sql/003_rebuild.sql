-- A rebuild goes on from the oldest transaction that its last snapshot had not seen the end of.
create index events_xid on events (xid);
