/** A mask is painted over its picture: brush and eraser, undo, clear, invert, and how strongly it is shown. */

import { Brush, Contrast, Eraser, Maximize, Redo2, Trash2, Undo2, X, ZoomIn, ZoomOut } from "lucide-react";
import { Dialog } from "radix-ui";
import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from "react";

import { act, redoAct, resized, undoAct, UNTOUCHED } from "../graph/painting";
import type { Pixels } from "../graph/png";
import { WHOLE, zoomed } from "../graph/zoom";
import { IconButton } from "../shell/IconButton";
import { tellError } from "../store/errors";
import { loadPixels, saveMask } from "../store/masks";
import { useUi, type MaskOf } from "../store/ui";
import { text } from "../text/en";
import { maskOf, MaskStage } from "./MaskStage";

const t = text.mask;
const STEP = 1.4;
const close = () => useUi.setState({ painting: null });

export function MaskDialog() {
  const painting = useUi((ui) => ui.painting);
  const isPainted = useRef(false);
  return (
    <Dialog.Root open={painting !== null} onOpenChange={close}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay is-front" />
        {painting && (
          <Dialog.Content
            className="picture-dialog mask-dialog"
            aria-describedby={undefined}
            onPointerDownOutside={(event) => event.preventDefault()}
            onEscapeKeyDown={(event) => {
              // What was painted is not lost by a key: Cancel says so.
              if (isPainted.current) event.preventDefault();
            }}
          >
            <Loaded of={painting} isPainted={isPainted} />
          </Dialog.Content>
        )}
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface LoadedProps {
  readonly of: MaskOf;
  readonly isPainted: RefObject<boolean>;
}

function Loaded({ of, isPainted }: LoadedProps) {
  const [pixels, setPixels] = useState<Pixels | null>(null);
  useEffect(() => {
    let isGone = false;
    loadPixels(of.file).then(
      (loaded) => !isGone && setPixels(loaded),
      (error: unknown) => {
        tellError(error, text.notice.badFile(of.file));
        close();
      },
    );
    return () => {
      isGone = true;
    };
  }, [of.file]);
  return pixels ? <Painter of={of} pixels={pixels} isPainted={isPainted} /> : <Dialog.Title className="mask-loading">{t.loading}</Dialog.Title>;
}

function Painter({ of, pixels, isPainted }: LoadedProps & { readonly pixels: Pixels }) {
  const most = Math.max(8, Math.round(Math.max(pixels.width, pixels.height) / 2));
  const [painting, setPainting] = useState(UNTOUCHED);
  const [erases, setErases] = useState(false);
  const [size, setSize] = useState(() => Math.max(2, Math.round(most / 6)));
  const [opacity, setOpacity] = useState(75);
  const [zoom, setZoom] = useState(WHOLE);
  const [isSaving, setSaving] = useState(false);
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    isPainted.current = painting.done.length > 0;
  }, [isPainted, painting]);

  const save = async () => {
    if (canvas.current === null) return;
    setSaving(true);
    if (await saveMask(of, pixels, maskOf(canvas.current))) close();
    else setSaving(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const isCommand = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (isCommand && key === "z") setPainting(event.shiftKey ? redoAct : undoAct);
    else if (isCommand && key === "y") setPainting(redoAct);
    else if (isCommand) return;
    else if (key === "[" || key === "]") setSize(resized(size, key === "]", most));
    else if (key === "e") setErases(!erases);
    else if (key === "b") setErases(false);
    else if (key === "+" || key === "=") setZoom(zoomed(zoom, STEP));
    else if (key === "-") setZoom(zoomed(zoom, 1 / STEP));
    else if (key === "0") setZoom(WHOLE);
    else return;
    event.preventDefault();
  };

  return (
    <div className="mask-painter" onKeyDown={onKeyDown}>
      <div className="picture-bar">
        <Dialog.Title>{t.title}</Dialog.Title>
        <IconButton label={t.close} icon={X} onClick={close} />
      </div>
      <div className="mask-tools" role="toolbar" aria-label={t.tools}>
        <IconButton label={t.brush} icon={Brush} pressed={!erases} onClick={() => setErases(false)} />
        <IconButton label={t.eraser} icon={Eraser} pressed={erases} onClick={() => setErases(true)} />
        <Slider label={t.size} value={size} min={1} max={most} set={setSize} />
        <span className="mask-gap" />
        <IconButton label={t.undo} icon={Undo2} disabled={painting.done.length === 0} onClick={() => setPainting(undoAct)} />
        <IconButton label={t.redo} icon={Redo2} disabled={painting.undone.length === 0} onClick={() => setPainting(redoAct)} />
        <IconButton label={t.clear} icon={Trash2} onClick={() => setPainting(act(painting, { kind: "clear" }))} />
        <IconButton label={t.invert} icon={Contrast} onClick={() => setPainting(act(painting, { kind: "invert" }))} />
        <span className="mask-gap" />
        <Slider label={t.opacity} value={opacity} min={10} max={100} set={setOpacity} />
        <span className="mask-gap" />
        <IconButton label={t.zoomOut} icon={ZoomOut} onClick={() => setZoom(zoomed(zoom, 1 / STEP))} />
        <IconButton label={t.zoomIn} icon={ZoomIn} onClick={() => setZoom(zoomed(zoom, STEP))} />
        <IconButton label={t.fit} icon={Maximize} onClick={() => setZoom(WHOLE)} />
      </div>
      <MaskStage
        canvas={canvas}
        pixels={pixels}
        painting={painting}
        brush={{ erases, size }}
        opacity={opacity / 100}
        zoom={zoom}
        setZoom={setZoom}
        add={(stroke) => setPainting((before) => act(before, stroke))}
      />
      <div className="mask-foot">
        <p className="quiet">{t.lead}</p>
        <button type="button" className="secondary" onClick={close}>
          {t.cancel}
        </button>
        <button type="button" className="primary" disabled={isSaving} onClick={() => void save()}>
          {t.save}
        </button>
      </div>
    </div>
  );
}

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly set: (value: number) => void;
}

function Slider({ label, value, min, max, set }: SliderProps) {
  return (
    <label className="mask-slider">
      <span>{label}</span>
      <input type="range" min={min} max={max} value={value} onChange={(event) => set(Number(event.target.value))} />
      <output>{value}</output>
    </label>
  );
}
