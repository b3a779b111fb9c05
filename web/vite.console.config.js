// Builds the administrators' console apart from the pages, so that the sign-in page loads none of it: one script, one
// style sheet, and two scripts for each language.

import { defineConfig } from "vite";

export default defineConfig({
  clearScreen: false,
  build: {
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { console: "src/console/main.tsx", style: "src/console/style.css" },
      output: {
        entryFileNames: "[name].js",
        // The words of the pages and those of the console both have a file for each language.
        chunkFileNames: ({ isDynamicEntry, facadeModuleId }) => {
          if (!isDynamicEntry) return "shared.js";
          return /console\/words\//.test(facadeModuleId) ? "[name].console.js" : "[name].js";
        },
        assetFileNames: "[name][extname]",
      },
    },
  },
});
