import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `make dev` says where the server is; the built editor is served by the server itself.
const server = process.env.NODEGRAPH_SERVER ?? "http://127.0.0.1:8188";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../nodegraph/server/static",
    emptyOutDir: true,
    // The page's policy allows no data: fonts and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: {
      "/api": {
        target: server,
        ws: true,
        // The server takes requests of its own origin alone.
        configure: (proxy) => {
          proxy.on("proxyReq", (request) => request.setHeader("Origin", server));
          proxy.on("proxyReqWs", (request) => request.setHeader("Origin", server));
        },
        changeOrigin: true,
        headers: process.env.NODEGRAPH_TOKEN
          ? { Authorization: `Bearer ${process.env.NODEGRAPH_TOKEN}` }
          : {},
      },
    },
  },
  // No test depends on time: the limit only ends what hangs.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 120_000 },
});
