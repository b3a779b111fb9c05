// Entry point of the administrators' console.

import { render } from "preact";
import { start } from "../i18n";
import { Console } from "./app";
import { loadWords } from "./words";

const place = document.getElementById("app");
if (place) void start().then(loadWords).then(() => render(<Console />, place));
