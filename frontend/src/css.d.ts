import "react";

declare module "react" {
  // Custom properties are how components hand colours and sizes to the style sheets.
  interface CSSProperties {
    [property: `--${string}`]: string | number | undefined;
  }
}
