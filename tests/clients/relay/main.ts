// Tests Relay without React: signs in, loads pages of users into one connection, signs out. `run` starts this script.

import assert from "node:assert/strict";
import {
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getSingularSelector,
  Network,
  RecordSource,
  Store,
  type ConcreteRequest,
  type GraphQLResponse,
  type OperationType,
  type ReaderFragment,
} from "relay-runtime";
import { assertEveryUserOnce, mailedCode, otherThan, post, Refused, options } from "../support";
import Login, { type operationsLoginMutation } from "./__generated__/operationsLoginMutation.graphql";
import Logout, { type operationsLogoutMutation } from "./__generated__/operationsLogoutMutation.graphql";
import Me, { type operationsMeQuery, type operationsMeQuery$data } from "./__generated__/operationsMeQuery.graphql";
import Sessions, { type operationsSessions_user$data } from "./__generated__/operationsSessions_user.graphql";
import SessionsPage, { type operationsSessionsPageQuery } from "./__generated__/operationsSessionsPageQuery.graphql";
import User, { type operationsUserQuery } from "./__generated__/operationsUserQuery.graphql";
import Users, { type operationsUsers_query$data } from "./__generated__/operationsUsers_query.graphql";
import UsersQuery, { type operationsUsersQuery } from "./__generated__/operationsUsersQuery.graphql";
import Verify, { type operationsVerifyMutation } from "./__generated__/operationsVerifyMutation.graphql";

let token: string | undefined;

const environment = new Environment({
  network: Network.create(async ({ text }, variables) => {
    assert(text, "the operation was compiled to text");
    return (await post<object>(text, variables, token)) as GraphQLResponse;
  }),
  store: new Store(new RecordSource()),
});

/** Runs a query. Retains the result, because Relay's store removes data that is not retained. */
async function query<Operation extends OperationType>(
  request: ConcreteRequest,
  variables: Operation["variables"],
): Promise<Operation["response"]> {
  environment.retain(createOperationDescriptor(request, variables));
  const data = await fetchQuery<Operation>(environment, request, variables).toPromise();
  assert(data);
  return data;
}

/** Runs mutations directly on the environment, because `commitMutation` reports only the text of errors. */
async function mutate<Operation extends OperationType>(
  request: ConcreteRequest,
  variables: Operation["variables"],
): Promise<Operation["response"]> {
  const operation = createOperationDescriptor(request, variables);
  await environment.executeMutation({ operation }).toPromise();
  return environment.lookup(operation.fragment).data as Operation["response"];
}

/** The current data of a fragment, as `useFragment` would return it. */
function look<Data>(fragment: ReaderFragment, where: unknown): Data {
  const selector = getSingularSelector(fragment, where);
  assert(selector, `${fragment.name} was not spread here`);
  const { data, isMissingData } = environment.lookup(selector);
  assert(!isMissingData, `${fragment.name} has missing data`);
  return data as Data;
}

const pass = (check: string) => console.log(`ok relay: ${check}`);

/** Asserts that a field is set. Relay types a mutation result as one object with optional fields, not as a union. */
function given<Value>(value: Value | null | undefined): Value {
  assert(value !== null && value !== undefined, "a selected field is missing");
  return value;
}

async function signIn(): Promise<string> {
  const input = { email: options.manager, locale: "en" };
  const { login } = await mutate<operationsLoginMutation>(Login, { input });
  assert(login.__typename === "CodeSent", JSON.stringify(login));
  const challenge = given(login.challenge);
  const code = await mailedCode();
  assert.equal(code.length, login.codeLength);
  assert(Date.parse(given(login.expiresAt)) > Date.now());
  pass("requests a code");

  const tryCode = async (code: string) =>
    (await mutate<operationsVerifyMutation>(Verify, { input: { challenge, code } })).verify;
  const wrong = await tryCode(otherThan(code));
  assert(wrong.__typename === "InvalidCode", JSON.stringify(wrong));
  assert(given(wrong.attemptsLeft) > 0 && given(wrong.message).length > 0);
  pass("gets a wrong code as a problem");

  const verify = await tryCode(code);
  assert(verify.__typename === "SignedIn", JSON.stringify(verify));
  assert.equal(verify.isNewUser, false);
  token = given(verify.tokens).accessToken;
  pass("signs in");
  return given(verify.user).id;
}

async function readsItself(id: string): Promise<NonNullable<operationsMeQuery$data["me"]>> {
  const { me } = await query<operationsMeQuery>(Me, {});
  assert(me);
  assert.deepEqual([me.id, me.email, me.role, me.status], [id, options.manager, "MANAGER", "ACTIVE"]);
  pass("reads its own account");

  const { user } = await query<operationsUserQuery>(User, { id });
  assert.deepEqual([user?.id, user?.email, user?.createdAt], [id, options.manager, me.createdAt]);
  // Read the same user through Relay's refetch query.
  const { node } = await query<operationsSessionsPageQuery>(SessionsPage, { id });
  for (const where of [me, node]) {
    const { sessions } = look<operationsSessions_user$data>(Sessions, where);
    assert.deepEqual(sessions.edges.map((edge) => edge.node.current), [true]);
  }
  pass("reads a user by id");
  return me;
}

/** Loads the next two users, like `loadNext` of `usePaginationFragment`. Returns false if there are none. */
async function loadNext(where: unknown): Promise<boolean> {
  const selector = getSingularSelector(Users, where);
  assert(selector);
  const { paginationRequest, paginationMetadata } = getPaginationMetadata(Users, "loadNext");
  const { pageInfo } = look<{ users: { pageInfo: { hasNextPage: boolean; endCursor: string | null } } }>(Users, where).users;
  if (!pageInfo.hasNextPage) return false;
  const { variables } = selector.owner;
  const more = getPaginationVariables("forward", 2, pageInfo.endCursor, variables, {}, paginationMetadata);
  await query(paginationRequest, more);
  return true;
}

async function listsEveryUser(createdFrom: string): Promise<void> {
  const where = await query<operationsUsersQuery>(UsersQuery, {});
  let pages = 1;
  while (await loadNext(where)) pages += 1;
  const { edges, totalCount } = look<operationsUsers_query$data>(Users, where).users;
  assertEveryUserOnce(edges.map(({ node }) => node.email), totalCount);
  // The store removes duplicates, so check the number of pages, which overlapping pages would increase.
  assert.equal(pages, Math.ceil(totalCount / 2));
  pass("lists every user exactly once, two per page");

  const filtered = await query<operationsUsersQuery>(UsersQuery, {
    filter: { emailPrefix: options.prefix, roles: ["USER"], statuses: ["ACTIVE"], createdFrom },
    orderBy: { field: "EMAIL", direction: "DESC" },
  });
  while (await loadNext(filtered));
  const found = look<operationsUsers_query$data>(Users, filtered).users.edges.map(({ node }) => node.email);
  assert.deepEqual(found, options.people.toSorted().reverse());
  pass("filters and sorts users");
}

async function signsOut(): Promise<void> {
  const { logout } = await mutate<operationsLogoutMutation>(Logout, {});
  assert(logout.__typename === "LoggedOut", JSON.stringify(logout));
  pass("signs out");
  const refused = (error: unknown) =>
    error instanceof Refused && error.status === 401 && error.code === "UNAUTHENTICATED";
  await assert.rejects(query<operationsMeQuery>(Me, {}), refused);
  pass("is refused with the old token");
}

async function main(): Promise<void> {
  const { createdAt } = await readsItself(await signIn());
  await listsEveryUser(createdAt);
  await signsOut();
}

void main();
