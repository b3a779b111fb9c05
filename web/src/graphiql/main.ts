// Starts GraphiQL for this server, with a bar that signs in. Tabs, history, variables and tokens are stored only until
// the browser tab closes, because they may contain secrets. In English only, because developers read it.

import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import { GraphiQL } from "graphiql";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";
import { h, render } from "preact";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { Bar } from "./bar";
import { fetcher } from "./fetcher";
import { prepare, tabs } from "./tabs";

const workers: Record<string, new () => Worker> = { json: JsonWorker, graphql: GraphQLWorker };

Object.assign(globalThis, {
  MonacoEnvironment: { getWorker: (_: string, label: string) => new (workers[label] ?? EditorWorker)() },
});

const place = (id: string) => document.getElementById(id) as HTMLElement;

prepare(sessionStorage);
render(h(Bar, {}), place("bar"));
createRoot(place("graphiql")).render(
  createElement(GraphiQL, {
    fetcher,
    storage: sessionStorage,
    defaultTabs: tabs,
    defaultEditorToolsVisibility: "variables",
    isHeadersEditorEnabled: true,
    schemaDescription: true,
    shouldPersistHeaders: false,
  }),
);
