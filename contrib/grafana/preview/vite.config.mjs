import { defineConfig } from 'vite';
import path from 'node:path';
// @grafana/scenes wants the react-router v6 API; @grafana/ui carries v5 + the compat layer, which exports the v6 API
const router = {
  name: 'router6-for-scenes',
  enforce: 'pre',
  async resolveId(id, imp, o) {
    if (id === 'react-router-dom' && imp?.includes('/@grafana/scenes/'))
      return this.resolve('react-router-dom-v5-compat', imp, { skipSelf: true });
  },
};
export default defineConfig({
  plugins: [router],
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  resolve: {
    dedupe: [
      'react',
      'react-dom',
      '@grafana/data',
      '@grafana/ui',
      '@grafana/runtime',
      '@emotion/css',
      '@emotion/react',
      'rxjs',
      'react-router-dom-v5-compat',
    ],
    alias: [
      { find: /^monaco-editor.*/, replacement: path.resolve('src/stub.ts') },
      { find: /^@monaco-editor\/react$/, replacement: path.resolve('src/stub.ts') },
      { find: /^react-monaco-editor$/, replacement: path.resolve('src/stub.ts') },
    ],
  },
  build: { outDir: 'dist', sourcemap: false, chunkSizeWarningLimit: 20000, target: 'es2022', minify: 'esbuild' },
});
