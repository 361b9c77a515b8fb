/** A button that is an icon, with its name for everybody else. */

import type { LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly pressed?: boolean;
  readonly "data-steps"?: number;
}

export function IconButton({ label, icon: Icon, pressed, className = "", ...rest }: Props) {
  return (
    <button
      type="button"
      className={`icon-button ${className}`}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      {...rest}
    >
      <Icon size={16} aria-hidden />
    </button>
  );
}
