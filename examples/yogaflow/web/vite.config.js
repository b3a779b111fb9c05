import { defineConfig } from "vite";

export default defineConfig({
  // The client is linked from this repository, where it has a React of its own.
  resolve: { dedupe: ["react", "react-dom"] },
});
