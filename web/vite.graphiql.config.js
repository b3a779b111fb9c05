// Builds GraphiQL apart from the pages, which are small and share nothing with it: one script, one style sheet, one
// script for each worker of its editor, and an icon font. Also lists the packages in them and their licences.

import { defineConfig } from "vite";

// The server serves all files from one folder, whose path is not known here.
const output = {
  entryFileNames: "[name].js",
  assetFileNames: ({ names: [name] }) => (name.endsWith(".css") ? "graphiql.css" : "[name][extname]"),
  codeSplitting: false,
};

export default defineConfig({
  clearScreen: false,
  base: "./",
  worker: { format: "iife", rolldownOptions: { output } },
  build: {
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    // All of it is for developers, on their own machine.
    chunkSizeWarningLimit: 6000,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    license: { fileName: "licences.md" },
    rolldownOptions: {
      input: { graphiql: "src/graphiql/main.ts" },
      output,
      // "use client" means nothing in a bundle.
      onLog(level, log, handle) {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
});
