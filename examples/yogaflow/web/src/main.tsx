// The application: sign-in, navigation and pages. The page is the fragment of the address, such as #/poses.

import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { DoorcodeProvider, SignIn, UserButton, useSession } from "@doorcode/client/react";
import { doorcode } from "./api";
import { Figure } from "./figure";
import { Builder } from "./pages/builder";
import { Poses } from "./pages/poses";
import { PracticePage } from "./pages/practice";
import { Progress } from "./pages/progress";
import { Sequences } from "./pages/sequences";

const LINKS = [
  ["", "Practise"],
  ["poses", "Poses"],
  ["build", "Build"],
  ["progress", "Progress"],
] as const;

function useRoute(): string[] {
  const read = () => location.hash.replace(/^#\/?/, "").split("/");
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const change = () => {
      setRoute(read());
      scrollTo(0, 0);
    };
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return route;
}

function Page({ route: [page, id] }: { route: string[] }) {
  switch (page) {
    case "poses":
      return <Poses />;
    case "build":
      return <Builder key={id} id={id} />;
    case "progress":
      return <Progress />;
    default:
      return <Sequences />;
  }
}

function Welcome() {
  return (
    <main className="welcome">
      <section>
        <p className="brand">YogaFlow</p>
        <h1>A calm place for your practice.</h1>
        <p>Forty poses, sequences of your own, a timer that guides you, and a history that keeps you going.</p>
        <div className="figures" aria-hidden="true">
          {(["STANDING", "BALANCING", "BACKBEND", "SEATED"] as const).map((category) => (
            <Figure key={category} category={category} />
          ))}
        </div>
      </section>
      <SignIn />
    </main>
  );
}

function App() {
  const session = useSession();
  const route = useRoute();
  if (!session) return <Welcome />;
  if (route[0] === "practise" && route[1]) return <PracticePage key={route[1]} id={route[1]} />;
  return (
    <>
      <header className="top">
        <a className="brand" href="#/">
          YogaFlow
        </a>
        <nav aria-label="Pages">
          {LINKS.map(([page, name]) => (
            <a key={page} href={`#/${page}`} aria-current={route[0] === page ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <UserButton />
      </header>
      <main>
        <Page route={route} />
      </main>
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <DoorcodeProvider client={doorcode}>
      <App />
    </DoorcodeProvider>
  </StrictMode>,
);
