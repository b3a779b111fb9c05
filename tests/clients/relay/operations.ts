// Input for relay-compiler. This file never runs: in an application, a Babel plugin replaces each tag with the compiled
// artifact, and here `main.ts` imports the artifacts.

import { graphql } from "relay-runtime";

void graphql`
  mutation operationsLoginMutation($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on CodeSent { challenge codeLength expiresAt }
      ... on Problem { message }
    }
  }
`;

void graphql`
  mutation operationsVerifyMutation($input: VerifyInput!) {
    verify(input: $input) {
      __typename
      ... on SignedIn { isNewUser deviceToken tokens { accessToken } user { id } }
      ... on InvalidCode { attemptsLeft }
      ... on Problem { message }
    }
  }
`;

void graphql`
  mutation operationsLogoutMutation {
    logout { __typename ... on LoggedOut { sessionId } ... on Problem { message } }
  }
`;

void graphql`
  query operationsMeQuery { me { id email role status createdAt ...operationsSessions_user } }
`;

void graphql`
  query operationsUserQuery($id: ID!) { user(id: $id) { id email role status createdAt } }
`;

// For refetching this fragment, relay-compiler generates a query that reads the user with `node(id:)`.
void graphql`
  fragment operationsSessions_user on User
  @refetchable(queryName: "operationsSessionsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 1 }, cursor: { type: "String" }) {
    sessions(first: $count, after: $cursor) @connection(key: "operationsSessions_sessions") {
      edges { node { id current } }
    }
  }
`;

void graphql`
  query operationsUsersQuery($filter: UserFilter, $orderBy: UserOrder) {
    ...operationsUsers_query @arguments(filter: $filter, orderBy: $orderBy)
  }
`;

void graphql`
  fragment operationsUsers_query on Query
  @refetchable(queryName: "operationsUsersPageQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 2 }
    cursor: { type: "String" }
    filter: { type: "UserFilter" }
    orderBy: { type: "UserOrder" }
  ) {
    users(first: $count, after: $cursor, filter: $filter, orderBy: $orderBy)
    @connection(key: "operationsUsers_users") {
      totalCount
      edges { node { id email } }
    }
  }
`;
