// Tries the stream that was typed in, and shows its first picture or what to do.
const panel = document.getElementById("cam-probe");

const probe = async () => {
  const said = panel.querySelector(".cam-said");
  const result = panel.querySelector(".cam-probe-result");
  const button = panel.querySelector("[data-act=probe]");
  const spinner = panel.querySelector(".cam-spinner");
  const value = (name) => document.querySelector(`[name=new_${name}]`)?.value ?? "";
  const form = new FormData();
  form.set("url", value("stream_url"));
  form.set("username", value("username"));
  form.set("password", value("password"));
  form.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  button.disabled = true;
  spinner.hidden = false;
  result.hidden = true;
  said.className = "cam-said co-soft";
  said.textContent = panel.dataset.trying;
  try {
    const answer = await fetch(panel.dataset.url, { method: "POST", body: form, redirect: "error", signal: AbortSignal.timeout(20000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { ok, said: text, picture } = await answer.json();
    said.className = ok ? "cam-said" : "cam-said co-alarming";
    said.textContent = text;
    if (ok) {
      const image = new Image();
      image.src = picture;
      image.alt = panel.dataset.picture;
      result.replaceChildren(image);
      result.hidden = false;
    }
  } catch {
    said.className = "cam-said co-alarming";
    said.textContent = panel.dataset.failed;
  } finally {
    button.disabled = false;
    spinner.hidden = true;
  }
};

panel?.querySelector("[data-act=probe]").addEventListener("click", probe);
