-- The wearers' histories: the columns of the history's own tables, with the wearer's number for its name.
-- A history's owner is the `person`. Times are seconds since 1970, rates are in bpm.

create table day (
    wearer        bigint not null references wearer on delete cascade,
    date          date not null,
    start         bigint not null,
    length        int not null check (length between 0 and 65535),
    source        text not null,
    zone          text not null,
    "offset"      int not null,
    change_minute int check (change_minute between 0 and 65535),
    change_offset int,
    logged        int not null check (logged between 0 and 65535),
    min           int check (min between 0 and 65535),
    mean          int check (mean between 0 and 65535),
    max           int check (max between 0 and 65535),
    resting       int check (resting between 0 and 65535),
    fetched_at    bigint not null,
    changed_at    bigint not null,
    -- One byte for each minute or so, packed already.
    minutes       bytea not null,
    primary key (wearer, date, start, length, source)
);

create table asked (
    wearer    bigint not null references wearer on delete cascade,
    date      date not null,
    synced_at bigint not null,
    primary key (wearer, date)
);

create table doubted (
    wearer  bigint not null references wearer on delete cascade,
    start   bigint not null,
    source  text not null,
    minutes bytea not null,
    primary key (wearer, start, source)
);

-- The wall between tenants.
alter table day enable row level security;
create policy tenant on day using (wearer in (select number from wearer));
alter table asked enable row level security;
create policy tenant on asked using (wearer in (select number from wearer));
alter table doubted enable row level security;
create policy tenant on doubted using (wearer in (select number from wearer));
