// Tests the client from GraphQL Code Generator: signs in, pages through users, signs out. `run` starts this script.

import assert from "node:assert/strict";
import { assertEveryUserOnce, mailedCode, otherThan, post, Refused, options } from "../support";
import { graphql, unmask } from "./generated";
import type { PersonFragment, TypedDocumentString, UsersQuery } from "./generated/graphql";
import { receivesEvents } from "./live";

const Login = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on CodeSent { challenge codeLength expiresAt }
      ... on Problem { message }
    }
  }
`);
const Verify = graphql(`
  mutation Verify($input: VerifyInput!) {
    verify(input: $input) {
      __typename
      ... on SignedIn { isNewUser deviceToken tokens { accessToken } user { id } }
      ... on InvalidCode { attemptsLeft }
      ... on Problem { message }
    }
  }
`);
const Person = graphql(`
  fragment Person on User { id email name role status createdAt lastSignInAt }
`);
const Me = graphql(`query Me { me { ...Person } }`);
const User = graphql(`query User($id: ID!) { user(id: $id) { ...Person } }`);
const Users = graphql(`
  query Users($first: Int, $after: String, $filter: UserFilter, $orderBy: UserOrder) {
    users(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges { cursor node { ...Person } }
    }
  }
`);
const Logout = graphql(`
  mutation Logout { logout { __typename ... on LoggedOut { sessionId } ... on Problem { message } } }
`);

let token: string | undefined;

/** Runs one operation. The second argument is required if the document has variables. */
async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  ...[variables]: Variables extends Record<string, never> ? [] : [Variables]
): Promise<Result> {
  return (await post<Result>(document.toString(), variables ?? {}, token)).data;
}

const pass = (check: string) => console.log(`ok typescript: ${check}`);

async function signIn(): Promise<string> {
  const { login } = await ask(Login, { input: { email: options.manager, locale: "en" } });
  assert(login.__typename === "CodeSent", JSON.stringify(login));
  const { challenge } = login;
  const code = await mailedCode();
  assert.equal(code.length, login.codeLength);
  assert(Date.parse(login.expiresAt) > Date.now());
  pass("requests a code");

  const wrong = (await ask(Verify, { input: { challenge, code: otherThan(code) } })).verify;
  assert(wrong.__typename === "InvalidCode", JSON.stringify(wrong));
  assert(wrong.attemptsLeft > 0 && wrong.message.length > 0);
  pass("gets a wrong code as a problem");

  const { verify } = await ask(Verify, { input: { challenge, code } });
  assert(verify.__typename === "SignedIn", JSON.stringify(verify));
  assert.equal(verify.isNewUser, false);
  token = verify.tokens.accessToken;
  pass("signs in");
  return verify.user.id;
}

async function readsItself(id: string): Promise<PersonFragment> {
  const me = unmask(Person, (await ask(Me)).me);
  assert(me);
  assert.deepEqual([me.id, me.email, me.role, me.status], [id, options.manager, "MANAGER", "ACTIVE"]);
  pass("reads its own account");
  const user = unmask(Person, (await ask(User, { id })).user);
  assert.deepEqual(user, me);
  pass("reads a user by id");
  return me;
}

async function listsEveryUser(createdFrom: string): Promise<void> {
  const found: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { users }: UsersQuery = await ask(Users, { first: 2, after });
    assert(users.edges.length <= 2);
    found.push(...users.edges.map(({ node }) => unmask(Person, node).email));
    after = users.pageInfo.endCursor ?? null;
    if (!users.pageInfo.hasNextPage) {
      assertEveryUserOnce(found, users.totalCount);
      break;
    }
  }
  pass("lists every user exactly once, two per page");

  const { users } = await ask(Users, {
    filter: { emailPrefix: options.prefix, roles: ["USER"], statuses: ["ACTIVE"], createdFrom },
    orderBy: { field: "EMAIL", direction: "DESC" },
  });
  const filtered = users.edges.map(({ node }) => unmask(Person, node).email);
  assert.deepEqual(filtered, options.people.toSorted().reverse());
  pass("filters and sorts users");
}

async function signsOut(): Promise<void> {
  const { logout } = await ask(Logout);
  assert(logout.__typename === "LoggedOut", JSON.stringify(logout));
  pass("signs out");
  const refused = (error: unknown) =>
    error instanceof Refused && error.status === 401 && error.code === "UNAUTHENTICATED";
  await assert.rejects(ask(Me), refused);
  pass("is refused with the old token");
}

async function main(): Promise<void> {
  const { id, createdAt } = await readsItself(await signIn());
  await listsEveryUser(createdAt);
  assert(token !== undefined);
  await receivesEvents(token, id, pass);
  await signsOut();
}

void main();
