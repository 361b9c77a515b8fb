/** A picture in the gallery: opened, compared, and dragged into a graph. */

import { Columns2, Ellipsis } from "lucide-react";
import { DropdownMenu } from "radix-ui";

import { IconButton } from "../shell/IconButton";
import { forget, openJob, takeAsInput } from "../store/actions";
import { PICTURE, type Picture } from "../store/pictures";
import { useUi } from "../store/ui";
import { menuHome } from "../shell/menuHome";
import { text } from "../text/en";

const t = text.results;

export function ResultItem({ picture }: { readonly picture: Picture }) {
  const { url, title, job } = picture;
  const picked = useUi((ui) => ui.picked);
  const isPicked = picked?.url === url;
  const compare = () => {
    if (isPicked) useUi.setState({ picked: null });
    else if (picked === null) useUi.setState({ picked: { url, title } });
    else useUi.setState({ picked: null, picture: { url, title, compare: picked } });
  };
  const item = (label: string, run: () => void) => (
    <DropdownMenu.Item className="menu-item" onSelect={run}>
      {label}
    </DropdownMenu.Item>
  );
  return (
    <li className={isPicked ? "is-picked" : ""}>
      <button
        type="button"
        className="result"
        draggable
        onDragStart={(event) => {
          event.dataTransfer.setData(PICTURE, JSON.stringify({ url, title }));
          event.dataTransfer.effectAllowed = "copy";
        }}
        onClick={() => useUi.setState({ picture: { url, title } })}
      >
        <img src={url} alt={t.picture(title)} loading="lazy" draggable={false} />
      </button>
      <span className="result-tools">
        <IconButton label={isPicked || picked === null ? t.pick : t.compareTo(picked.title)} icon={Columns2} pressed={isPicked} onClick={compare} />
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger className="icon-button" aria-label={text.queue.more} title={text.queue.more}>
            <Ellipsis size={16} aria-hidden />
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal container={menuHome()}>
            <DropdownMenu.Content className="menu" align="end">
              {item(t.open, () => void openJob(job))}
              {item(t.useAsInput, () => void takeAsInput(picture))}
              <DropdownMenu.Item className="menu-item" asChild>
                <a href={url} download>
                  {t.download}
                </a>
              </DropdownMenu.Item>
              <DropdownMenu.Separator className="menu-line" />
              {item(t.forget, () => void forget(job.id))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      </span>
    </li>
  );
}
