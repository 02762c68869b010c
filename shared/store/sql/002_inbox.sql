-- What a consumer has taken: effect, offset and marks are written in one transaction.

create table offsets (
    consumer text not null,
    topic text not null,
    partition integer not null,
    next bigint not null,
    watermark timestamptz,
    primary key (consumer, topic, partition)
);

create table marks (
    consumer text not null,
    source text not null,
    stream text not null,
    sequence bigint not null,
    primary key (consumer, source, stream)
);

-- The store (by source) and the cluster (source '') a consumer's offsets belong to.
create table lineages (
    consumer text not null,
    source text not null,
    lineage text not null,
    primary key (consumer, source)
);

create table parked_keys (
    consumer text not null,
    source text not null,
    stream text not null,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (consumer, source, stream)
);

create table parked (
    consumer text not null,
    event_id uuid not null,
    source text not null,
    stream text not null,
    sequence bigint not null,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    headers bytea not null,
    data bytea not null,
    cause text not null,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (consumer, event_id)
);
create index on parked (consumer, source, stream, sequence);

-- A rule said no to what followed from an event or a timer: never tried again, never silent.
create table refusals (
    consumer text not null,
    cause text not null,
    stream text not null,
    command text not null,
    problem text not null,
    reason text not null,
    recorded_at timestamptz not null default clock_timestamp()
);
