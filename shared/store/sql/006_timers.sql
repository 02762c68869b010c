-- How often a timer could not be handled, and why the last time.
alter table timers add column tries integer not null default 0, add column cause text not null default '';
create index on timers (key) where tries > 0;
