-- Wearers, leases, chains, states, limits and the record of what was done.

-- `number` is never used twice, so that a wearer who comes back under an old id meets no old lease.
create table wearer (
    number   bigint generated always as identity primary key,
    tenant   text not null,
    id       text not null constraint wearer_id unique,
    name     text not null,
    provider text not null,
    settings text not null,
    -- Random: tells a repeated `insert` from another one's.
    ticket   bigint not null,
    added    timestamptz not null default now()
);

-- Who a wearer is to a provider.
create table person (
    wearer   bigint not null references wearer on delete cascade,
    provider text not null,
    user_id  text not null,
    primary key (wearer, provider),
    constraint person_once unique (provider, user_id)
);

-- One row a wearer, which every write of the wearer's chain and state locks. It changes often: room for the
-- new version on the same page, and no index on what changes, other than `due`.
create table lease (
    wearer         bigint primary key references wearer on delete cascade,
    due            timestamptz not null,
    woken          timestamptz,
    owner          text,
    taken          timestamptz,
    until          timestamptz,
    -- The end of the lease that the open intent allows.
    intent_until   timestamptz,
    fence          bigint not null default 0,
    -- The last write of the chain: its number, and the fence under which it was made.
    chain_revision bigint not null default 0,
    chain_fence    bigint not null default 0
) with (fillfactor = 70);
create index lease_due on lease (due);

create table chain (
    wearer     bigint primary key references wearer on delete cascade,
    generation bigint not null,
    revision   bigint not null,
    -- A few kilobytes; nothing that a reader could choke on.
    record     bytea not null check (octet_length(record) <= 65536),
    key_id     int not null,
    rotates    boolean not null,
    verify     boolean not null default false,
    changed    timestamptz not null default now()
);

create table state (
    wearer   bigint primary key references wearer on delete cascade,
    document text not null check (octet_length(document) <= 1048576),
    standing text not null,
    fence    bigint not null,
    revision bigint not null,
    changed  timestamptz not null default now()
) with (fillfactor = 70);

-- One token bucket a project, with a smaller one inside for filling up the past.
create table project (
    id         text primary key,
    per_second double precision not null,
    burst      double precision not null,
    tokens     double precision not null,
    low        double precision not null,
    filled     timestamptz not null default now(),
    slow_until timestamptz not null default '-infinity'
) with (fillfactor = 50);

-- Outlives the wearers that it is about: their ids are text.
create table audit (
    number bigint generated always as identity primary key,
    -- Empty: what concerns all tenants.
    tenant text not null,
    at     timestamptz not null default now(),
    actor  text not null,
    action text not null,
    wearer text not null,
    detail text not null,
    ticket bigint constraint audit_once unique
);
create index audit_wearer on audit (wearer, number);
