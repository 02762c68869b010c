-- The vault: one wrapped key per person and purpose, who is the same person as whom, and who was forgotten.
create table if not exists keys (
    kid        uuid primary key,
    person_id  text not null,
    purpose    text not null,
    master     text not null,
    wrapped    bytea not null,
    expires_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    unique (person_id, purpose)
);
create index if not exists keys_expiry on keys (expires_at) where expires_at is not null;
create index if not exists keys_master on keys (master);

-- Both directions are stored, so that forgetting follows a chain of merges from any end.
create table if not exists links (
    person_id text not null,
    other     text not null,
    primary key (person_id, other)
);

-- When keys whose time is over were last destroyed; it also tells how late a copy of the vault is.
create table if not exists tended (
    once boolean primary key default true check (once),
    at   timestamptz not null
);

create table if not exists forgotten (
    person_id    text primary key,
    forgotten_at timestamptz not null default clock_timestamp()
);
