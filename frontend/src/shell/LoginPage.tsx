/** What is shown to a browser that the server does not know, or that finds no server. */

import { text } from "../text/en";

export function LoginPage({ away }: { readonly away: boolean }) {
  if (away) {
    return (
      <section className="login">
        <h1>{text.login.away}</h1>
        <p className="lead">{text.login.awayLead}</p>
        <button type="button" className="primary" onClick={() => location.reload()}>
          {text.login.again}
        </button>
      </section>
    );
  }
  return (
    <section className="login">
      <h1>{text.login.title}</h1>
      <p className="lead">{text.login.lead}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = new FormData(event.currentTarget).get("token");
          location.assign(`/?token=${encodeURIComponent(String(token).trim())}`);
        }}
      >
        <input className="field" name="token" type="password" aria-label={text.login.token} placeholder={text.login.token} required />
        <button type="submit" className="primary">
          {text.login.enter}
        </button>
      </form>
    </section>
  );
}
