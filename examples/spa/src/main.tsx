// Sign-in: everything that this application needs for it.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createDoorcode } from "@doorcode/client";
import { DoorcodeProvider, SignIn, UserButton, useSession } from "@doorcode/client/react";
import { Sessions } from "./sessions";

const doorcode = createDoorcode({ url: import.meta.env.VITE_DOORCODE_URL ?? "http://localhost:4000" });

function App() {
  const session = useSession();
  if (!session) return <SignIn />;
  return (
    <>
      <header>
        <strong>Notebook</strong>
        <UserButton />
      </header>
      <h1>Welcome, {session.user.name ?? session.user.email}</h1>
      <Sessions />
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <DoorcodeProvider client={doorcode}>
      <main>
        <App />
      </main>
    </DoorcodeProvider>
  </StrictMode>,
);
