-- One store per service. Every table here is written by role writer only; views have their own files.

create table store (
    lineage uuid primary key default gen_random_uuid(),
    created_at timestamptz not null default clock_timestamp()
);
insert into store default values;

create table events (
    stream text not null,
    version integer not null check (version > 0),
    position bigint generated always as identity (cache 1),
    id uuid not null,
    type text not null,
    type_version smallint not null,
    data bytea not null check (octet_length(data) <= 262144),
    meta bytea not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    xid xid8 not null default pg_current_xact_id(),
    primary key (stream, version)
);

-- Identity columns keep CACHE 1: within a stream, position order must be commit order.
create table outbox (
    position bigint generated always as identity (cache 1) primary key,
    id uuid not null,
    stream text not null,
    sequence bigint not null,
    type text not null,
    data bytea not null,
    headers bytea not null,
    recorded_at timestamptz not null default clock_timestamp()
) with (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0, fillfactor = 100
);

create table idempotency (
    subject text not null,
    route text not null,
    key text not null,
    body_hash text not null,
    status smallint not null,
    stream text not null,
    version integer not null,
    seen text,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (subject, route, key)
);

create table claims (
    kind text not null,
    key text not null,
    stream text not null,
    primary key (kind, key)
);
create index on claims (stream, kind);

create table slots (
    kind text not null,
    key text not null,
    during tstzrange not null,
    stream text not null,
    constraint slots_overlap exclude using gist (kind with =, key with =, during with &&)
);
create index on slots (stream, kind);

create table tallies (
    kind text not null,
    key text not null,
    n integer not null,
    most integer not null,
    primary key (kind, key),
    constraint tallies_full check (n between 0 and most)
);

create table numbers (
    series text not null,
    day date not null,
    n integer not null,
    primary key (series, day)
);

create table timers (
    key text primary key,
    due_at timestamptz not null,
    stream text not null,
    type text not null,
    data bytea not null,
    meta bytea not null
);
create index on timers (due_at);

create table leases (
    name text primary key,
    holder uuid not null,
    epoch bigint not null,
    expires_at timestamptz not null
);
