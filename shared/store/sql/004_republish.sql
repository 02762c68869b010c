-- A whole store told again: asked for by an operator, carried out by the relay, stream by stream.
create table republications (
    id bigint generated always as identity primary key,
    asked_at timestamptz not null default clock_timestamp(),
    starts jsonb,
    after text not null default '',
    done_at timestamptz,
    failed text
);
comment on column republications.starts is 'where each partition of the topic ended before the first event was told again';
comment on column republications.after is 'every stream up to this one has been told again';
