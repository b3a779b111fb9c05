// Builds the pages into plain scripts and one style sheet. The server serves all files of a build under one versioned
// path, so their names need no hash.

import { defineConfig } from "vite";

export default defineConfig({
  clearScreen: false,
  build: {
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { page: "src/main.tsx", inbox: "src/inbox/main.tsx", style: "src/style.css" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name].js",
        // What two pages use is in one file, because the server knows the files by name.
        codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] },
        assetFileNames: "[name][extname]",
      },
    },
  },
});
