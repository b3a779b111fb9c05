// The page that the browser tests drive: the components, and the client for tests that call it.

import { createRoot } from "react-dom/client";
import { createDoorcode } from "@doorcode/client";
import { DoorcodeProvider, SignIn, UserButton, useSession } from "@doorcode/client/react";

const { server, client } = document.querySelector("#root").dataset;
globalThis.problems = [];
globalThis.doorcode = createDoorcode({
  url: server,
  clientId: client,
  onProblem: ({ code }) => globalThis.problems.push(code),
});

function Page() {
  const session = useSession();
  if (!session) return <SignIn />;
  return (
    <p id="who">
      {session.user.email} <UserButton />
    </p>
  );
}

// Before the first render, so that nobody sees the form on the way back from Doorcode.
const result = await doorcode.signIn.handleRedirect();
if (result && !result.ok) document.title = result.problem.code;
createRoot(document.querySelector("#root")).render(
  <DoorcodeProvider client={doorcode}>
    <Page />
  </DoorcodeProvider>,
);
