// Starts GraphiQL on this server's API, with a first tab that walks through a sign-in. It talks to /graphql alone, and
// what it keeps (tabs, history, and with them codes and tokens in variables) goes away with the browser's tab.

"use strict";

const hasInbox = Boolean(document.body.dataset.inbox);

const walk = `# Signing in, step by step.
#
# Put the cursor into an operation and press
# Ctrl-Enter (Cmd-Enter on a Mac), or press the
# button and choose one. The book at the left edge
# describes every field and type.
#
# The values come from the Variables pane below.

# 1. Write your address into the variable "email"
#    and run this. Then copy "challenge" from the
#    answer into the variables.
mutation Login($email: String!) {
  login(input: { email: $email }) {
    ... on CodeSent {
      __typename
      challenge
      email
      codeLength
      expiresAt
      resendAt
      attemptsLeft
    }
    ... on RateLimited {
      retryAt
    }
    # What you can do something about
    # is a Problem, and not an error.
    ... on Problem {
      __typename
      message
    }
  }
}
${
  hasInbox
    ? `
# 2. Read the mail. This field and the page /inbox
#    exist on development servers only.
query Inbox($email: String!) {
  inbox(to: $email, first: 1) {
    at
    subject
    code
  }
}
`
    : `
# 2. Read the mail.
`
}
# 3. Write the code into the variable "code" and run
#    this. The answer holds an access token, good for
#    minutes, and a refresh token, good for days.
mutation Verify($challenge: String!, $code: String!) {
  verify(input: { challenge: $challenge, code: $code }) {
    ... on SignedIn {
      __typename
      isNewUser
      user {
        id
        email
        role
      }
      tokens {
        tokenType
        accessToken
        expiresAt
        refreshToken
        refreshExpiresAt
      }
    }
    ... on InvalidCode {
      attemptsLeft
    }
    ... on Problem {
      __typename
      message
    }
  }
}

# 4. Write this into the Headers pane below, with the
#    access token in place of the dots:
#      { "Authorization": "Bearer ..." }
#    Without it, "me" is null.
query Me {
  me {
    id
    email
    name
    role
    status
    sessions(first: 5) {
      edges {
        node {
          id
          current
          userAgent
          lastSeenAt
        }
      }
    }
  }
}

# 5. Before the access token expires: copy the refresh
#    token into the variable "refreshToken". It works
#    once, and the answer holds the next one.
mutation Refresh($refreshToken: String!) {
  refresh(input: { refreshToken: $refreshToken }) {
    ... on Refreshed {
      __typename
      tokens {
        accessToken
        expiresAt
        refreshToken
        refreshExpiresAt
      }
    }
    ... on Problem {
      __typename
      message
    }
  }
}

# 6. Sign out, with the header still there.
#    Both tokens are dead from then on.
mutation Logout {
  logout {
    __typename
    ... on Problem {
      message
    }
  }
}

# For a MANAGER or more. The first administrator is
# made in a terminal:
#   doorcode user role you@example.com admin
query People {
  users(first: 10) {
    nodes {
      id
      email
      name
      role
      status
      version
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}

# What happens, while you look.
subscription Happens {
  auditEventAdded {
    at
    kind
    actor {
      email
    }
    subject {
      email
    }
  }
}
`;

const variables = JSON.stringify({ email: "ada@example.com", challenge: "", code: "", refreshToken: "" }, null, 2);

function subscribes({ operationName }, document) {
  const operations = document?.definitions.filter(({ kind }) => kind === "OperationDefinition") ?? [];
  const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return chosen?.operation === "subscription";
}

// The answers of a subscription, as server-sent events bring them.
async function* told(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (text + value).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data:"));
        if (event.startsWith("event: next")) yield JSON.parse(data.map((line) => line.slice(5)).join("\n"));
        if (event.startsWith("event: complete")) return;
      }
    }
  } finally {
    reader.cancel();
  }
}

// The chosen operation with the fragments that it uses: the editor may hold several operations, and the server takes one
// from whoever has no access token. Where the editor was parsed before the last change, all of it is sent.
function chosen(params, document) {
  const named = (kind) => document?.definitions.filter((definition) => definition.kind === kind) ?? [];
  const operation = named("OperationDefinition").find((definition) => definition.name?.value === params.operationName);
  if (operation?.loc?.source.body !== params.query) return params;
  const text = (part) => params.query.slice(part.loc.start, part.loc.end);
  const fragments = new Map(named("FragmentDefinition").map((fragment) => [fragment.name.value, fragment]));
  const parts = new Set([operation]);
  for (const part of parts) {
    for (const [, name] of text(part).matchAll(/\.\.\.\s*([_A-Za-z]\w*)/g)) {
      if (fragments.has(name)) parts.add(fragments.get(name));
    }
  }
  return { ...params, query: [...parts].map(text).join("\n") };
}

async function fetcher(params, options) {
  const listens = subscribes(params, options?.documentAST);
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      accept: listens ? "text/event-stream" : "application/graphql-response+json, application/json",
      ...options?.headers,
      "content-type": "application/json",
    },
    body: JSON.stringify(chosen(params, options?.documentAST)),
    credentials: "omit",
    cache: "no-store",
  });
  return response.headers.get("content-type")?.startsWith("text/event-stream") ? told(response) : response.json();
}

// GraphiQL takes the contents of its editors from the storage, even on the first visit, and after a reload opens one
// more tab when they are not those of a tab it had. So the walk-through is put where GraphiQL would have put it.
if (sessionStorage.getItem("graphiql:tabState") === null) {
  sessionStorage.setItem("graphiql:query", walk);
  sessionStorage.setItem("graphiql:variables", variables);
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    storage: sessionStorage,
    defaultTabs: [{ query: walk, variables, headers: null }],
    defaultEditorToolsVisibility: "variables",
    isHeadersEditorEnabled: true,
    schemaDescription: true,
    shouldPersistHeaders: false,
  }),
);
