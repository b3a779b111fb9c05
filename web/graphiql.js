// Starts GraphiQL for this server, with a first tab that walks through a sign-in. Tabs, history and variables are
// stored only until the browser tab closes, because they may contain codes and tokens.

"use strict";

const hasInbox = Boolean(document.body.dataset.inbox);

const walk = `# Sign in step by step
#
# Place the cursor in an operation and press
# Ctrl-Enter (Cmd-Enter on a Mac), or press the
# Run button and choose one. The book icon on the
# left opens the documentation.
#
# Edit the variables in the pane below.

# 1. Set "email" to your address and run this.
#    Then copy "challenge" from the response into
#    the variables.
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
    # Expected failures are a Problem,
    # not an error.
    ... on Problem {
      __typename
      message
    }
  }
}
${
  hasInbox
    ? `
# 2. Read the email. This field and the /inbox page
#    only exist on development servers.
query Inbox($email: String!) {
  inbox(to: $email, first: 1) {
    at
    subject
    code
  }
}
`
    : `
# 2. Read the email.
`
}
# 3. Set "code" to the code and run this. The response
#    has an access token, valid for minutes, and a
#    refresh token, valid for days.
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

# 4. Put this into the Headers pane below, with the
#    access token instead of the dots:
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

# 5. Before the access token expires, set
#    "refreshToken" to the refresh token and run this.
#    It works once; the response has the next one.
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

# 6. Sign out. Keep the header. Both tokens stop
#    working.
mutation Logout {
  logout {
    __typename
    ... on Problem {
      message
    }
  }
}

# For managers and administrators. Create the first
# administrator in a terminal:
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

# Live audit events.
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

// Yields the responses of a subscription from server-sent events.
async function* responses(response) {
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

// Returns only the chosen operation and its fragments, because without an access token the server accepts one operation
// per document. Returns the whole text if the editor has changed since the document was parsed.
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
  return response.headers.get("content-type")?.startsWith("text/event-stream") ? responses(response) : response.json();
}

// GraphiQL restores its editors from session storage, even on the first visit. On a reload, it opens an extra tab if
// the editors' content matches no stored tab. So store the walk-through in the format that GraphiQL uses.
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
