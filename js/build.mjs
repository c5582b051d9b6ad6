// Bundles js/src into pdcr_widgets/static. The output depends on the sources and the lock file only.
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const options = {
  entryPoints: {
    region_canvas: here("src/region_canvas.ts"),
    network_view: here("src/network_view.ts"),
    channel_strip: here("src/channel_strip.ts"),
    figure: here("src/figure.ts"),
    keep_bar: here("src/keep_bar.ts"),
    file_chooser: here("src/file_chooser.ts"),
    patch_stage: here("src/patch_stage.ts"),
  },
  outdir: process.env.PDCR_STATIC ?? here("../pdcr_widgets/static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "info",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await build(options);
}
