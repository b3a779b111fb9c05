// The users: search by any part, filters, order, pages, a file, and invitations.

import { useEffect, useRef, useState } from "preact/hooks";
import { Breakable, initials } from "../account/profile";
import { serverNow } from "../api/call";
import { PEOPLE, type People as PeopleData, type Role, type UserFilter, type UserOrderField, type UserStatus } from "../api/operations";
import { ago, date } from "../i18n";
import { speak } from "../ui/announce";
import { Button } from "../ui/button";
import { Choice } from "./choice";
import { useConsole } from "./context";
import { exact } from "./format";
import { Icon } from "./icons";
import { Invite } from "./invite";
import { cursorOf, ExportButton, ListProblem, Pager, useLoaded, type Cursor } from "./list";
import { currentQuery, link, search, useRoute } from "./route";
import { Sorted, Tag } from "./table";
import { words } from "./words";

type Row = PeopleData["users"]["nodes"][number];

const DAYS: Record<string, number> = { day: 1, week: 7, month: 30 };
const names = ["search", "role", "status", "since", "sort"] as const;
type Filters = Record<(typeof names)[number], string>;

const filtersOf = (query: URLSearchParams) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""])) as Filters;

/** The API finds text of three characters or more anywhere. A shorter one finds the start of an address. */
const isPrefix = ({ search: part }: Filters) => part !== "" && [...part].length < 3;

function filterOf(filters: Filters): UserFilter {
  const { search: part, role, status, since } = filters;
  const filter: UserFilter = {};
  if (isPrefix(filters)) filter.emailPrefix = part;
  else if (part) filter.search = part;
  if (role) filter.roles = [role as Role];
  if (status) filter.statuses = [status as UserStatus];
  // Rounded, so that a page has the same filter as the one before.
  const midnight = Math.floor(serverNow() / 86_400_000) * 86_400_000;
  if (DAYS[since]) filter.createdFrom = new Date(midnight - DAYS[since] * 86_400_000).toISOString();
  return filter;
}

function orderOf(filters: Filters) {
  // In another order, a prefix takes long among many users.
  const [field = "", direction] = (isPrefix(filters) ? "EMAIL.up" : filters.sort).split(".");
  return { field: (field || "CREATED_AT") as UserOrderField, direction: direction === "up" ? ("ASC" as const) : ("DESC" as const) };
}

export function People() {
  const { isAdmin, ask } = useConsole();
  const { query } = useRoute();
  const t = words();
  const filters = filtersOf(query);
  const [invites, setInvites] = useState(false);
  const load = async (cursor: Cursor) => (await ask(PEOPLE, { ...cursor, filter: filterOf(filters), orderBy: orderOf(filters) })).users;
  const { value: page, form, reload } = useLoaded(query.toString(), () => load(cursorOf(query)));
  // The field searches a moment after the typing, and another filter may have changed meanwhile.
  const change = (part: Partial<Filters>) => search({ ...filtersOf(currentQuery()), ...part });
  useEffect(() => {
    if (page) speak(t.people.shown(page.nodes.length));
  }, [page]);

  return (
    <>
      <div class="tools">
        <Search value={filters.search} onSearch={(text) => change({ search: text })} />
        <Choice label={t.people.role} value={filters.role} any={t.people.anyRole} options={t.roles} onChoose={(role) => change({ role })} />
        <Choice
          label={t.people.status}
          value={filters.status}
          any={t.people.anyStatus}
          // Managers don't see deleted users.
          options={isAdmin ? t.statuses : { ACTIVE: t.statuses.ACTIVE, SUSPENDED: t.statuses.SUSPENDED }}
          onChoose={(status) => change({ status })}
        />
        <Choice label={t.people.created} value={filters.since} any={t.people.anyTime} options={t.people.since} onChoose={(since) => change({ since })} />
        <div class="tool-actions">
          <ExportButton
            name="users"
            head={[t.people.address, t.people.name, t.people.role, t.people.status, t.people.lastSignIn, t.people.created, "id"]}
            cells={(row: Row) => [row.email, row.name, row.role, row.status, row.lastSignInAt, row.createdAt, row.databaseId]}
            ask={load}
          />
          {isAdmin && (
            <Button small onClick={() => setInvites(true)}>
              {t.invite.open}
            </Button>
          )}
        </div>
      </div>
      <ListProblem form={form} reload={reload} />
      {page && (
        <Table rows={page.nodes} busy={form.busy} sort={orderOf(filters)} onSort={(sort) => change({ sort })} filtered={names.some((name) => name !== "sort" && filters[name])} onReset={() => search({})} />
      )}
      {!page && !form.problem && <div class="frame loading-part" aria-hidden="true" />}
      {page && <Pager facts={page.pageInfo} label={t.people.pages} busy={form.busy} onTurn={(to) => search({ ...filters, ...to }, true)} />}
      {invites && <Invite onClose={() => setInvites(false)} />}
    </>
  );
}

/** A field that searches while the user types. */
function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const t = words().people;
  const [typed, setTyped] = useState(value);
  const timer = useRef(0);
  const pending = useRef(false);
  useEffect(() => {
    if (!pending.current) setTyped(value);
  }, [value]);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    pending.current = true;
    timer.current = setTimeout(() => {
      pending.current = false;
      onSearch(text.trim());
    }, 200);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label class="search">
      <span class="sr-only">{t.search}</span>
      <Icon name="search" />
      <input
        class="input"
        type="search"
        name="search"
        placeholder={t.search}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxLength={254}
        value={typed}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </label>
  );
}

interface TableProps {
  rows: Row[];
  busy: boolean;
  sort: { field: UserOrderField; direction: "ASC" | "DESC" };
  onSort: (sort: string) => void;
  filtered: boolean;
  onReset: () => void;
}

function Table({ rows, busy, sort, onSort, filtered, onReset }: TableProps) {
  const t = words().people;
  if (rows.length === 0) {
    return (
      <div class="frame nothing">
        <p class="empty">{filtered ? t.nobody : t.nobodyYet}</p>
        {filtered && (
          <Button kind="secondary" small onClick={onReset}>
            {t.reset}
          </Button>
        )}
      </div>
    );
  }
  const column = (field: UserOrderField, label: string, kind = "") => (
    <Sorted
      label={label}
      kind={kind}
      direction={sort.field === field ? sort.direction : null}
      startsUp={field === "EMAIL"}
      onSort={(up) => onSort(`${field}.${up ? "up" : "down"}`)}
    />
  );
  return (
    <div class="frame">
      <table class="table people" aria-busy={busy}>
        <caption class="sr-only">{words().sections.people}</caption>
        <thead>
          <tr>
            {column("EMAIL", t.user)}
            <th scope="col">{t.role}</th>
            <th scope="col" class="wide-only">{t.status}</th>
            {column("LAST_SIGN_IN_AT", t.lastSignIn, "wide-only")}
            {column("CREATED_AT", t.created, "wide-only")}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} class={row.status === "ACTIVE" ? undefined : "over"}>
              <th scope="row">
                <span class="who">
                  <span class="avatar small" aria-hidden="true">{initials(row.name, row.email)}</span>
                  <span class="who-text">
                    <a class="row-link" href={link("people", row.id)}>{row.name ?? <Breakable email={row.email} />}</a>
                    {row.name && <span class="hint"><Breakable email={row.email} /></span>}
                  </span>
                </span>
              </th>
              <td>
                <RoleTag role={row.role} />
                {row.status !== "ACTIVE" && <span class="narrow-only"><StatusTag status={row.status} /></span>}
              </td>
              <td class="wide-only"><StatusTag status={row.status} /></td>
              <td class="wide-only" title={row.lastSignInAt ? exact(row.lastSignInAt) : undefined}>
                {row.lastSignInAt ? ago(row.lastSignInAt, serverNow()) : t.never}
              </td>
              <td class="wide-only" title={exact(row.createdAt)}>{date(row.createdAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const RoleTag = ({ role }: { role: Role }) => <Tag kind={role === "ADMIN" || role === "MANAGER" ? "strong" : "plain"}>{words().roles[role]}</Tag>;

export const StatusTag = ({ status }: { status: UserStatus }) => (
  <Tag kind={status === "ACTIVE" ? "good" : "bad"}>{words().statuses[status]}</Tag>
);
