-- Each event carries a hash over the hash before it in its stream and itself (shared/events/chain.py says of what).
alter table events add column hash bytea;

do $$
declare
    row record;
    last_stream text := '';
    last_hash bytea := '';
begin
    for row in select * from events order by stream, version loop
        if row.stream <> last_stream then
            last_hash := '';
        end if;
        last_stream := row.stream;
        last_hash := sha256(last_hash || convert_to(concat_ws(e'\n', row.stream, row.version, replace(row.id::text, '-', ''), row.type,
            row.type_version, (extract(epoch from row.occurred_at) * 1000000)::bigint, octet_length(row.meta), ''), 'UTF8') || row.meta || row.data);
        update events set hash = last_hash where stream = row.stream and version = row.version;
    end loop;
end $$;

alter table events alter column hash set not null;
