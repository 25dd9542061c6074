-- Who may ask for what, invitations, and the second wall between tenants.

create table api_key (
    -- SHA-256 of the key.
    hash         bytea primary key,
    tenant       text not null,
    name         text not null,
    role         text not null,
    -- Whether it is good for all wearers of the tenant; otherwise for those that are listed.
    whole_tenant boolean not null,
    made         timestamptz not null default now(),
    constraint api_key_name unique (tenant, name)
);

create table api_key_wearer (
    hash   bytea not null references api_key on delete cascade,
    wearer bigint not null references wearer on delete cascade,
    primary key (hash, wearer)
);
create index api_key_wearer_wearer on api_key_wearer (wearer);

create table invitation (
    -- SHA-256 of the invitation.
    hash    bytea primary key,
    wearer  bigint not null references wearer on delete cascade,
    expires timestamptz not null,
    -- Random: who used it up.
    used_by bigint
);
create index invitation_wearer on invitation (wearer);

-- The tables' owner, which the collectors are, passes; every other user sees its own tenant alone. A
-- connection that names no tenant sees nothing.
alter table wearer enable row level security;
create policy tenant on wearer using (tenant = current_setting('pulsewing.tenant', true));
alter table api_key enable row level security;
create policy tenant on api_key using (tenant = current_setting('pulsewing.tenant', true));
alter table audit enable row level security;
create policy tenant on audit using (tenant = current_setting('pulsewing.tenant', true));

-- The policy of `wearer` holds in these subqueries too.
alter table person enable row level security;
create policy tenant on person using (wearer in (select number from wearer));
alter table lease enable row level security;
create policy tenant on lease using (wearer in (select number from wearer));
alter table chain enable row level security;
create policy tenant on chain using (wearer in (select number from wearer));
alter table state enable row level security;
create policy tenant on state using (wearer in (select number from wearer));
alter table api_key_wearer enable row level security;
create policy tenant on api_key_wearer using (wearer in (select number from wearer));
alter table invitation enable row level security;
create policy tenant on invitation using (wearer in (select number from wearer));
