// Entry point of the sign-in and account pages.

import { render } from "preact";
import { App } from "./app";
import { start } from "./i18n";

const place = document.getElementById("app");
if (place) void start().then(() => render(<App />, place));
