// Says so where the overview is no longer renewed: old figures must not look like new ones.
const SILENT_MS = 40000;
let heard = Date.now();
const show = () => {
  const isSilent = !document.hidden && Date.now() - heard > SILENT_MS;
  document.getElementById("overview-silent").hidden = !isSilent;
  document.body.classList.toggle("overview-outdated", isSilent);
};
document.body.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  if (detail.xhr.responseURL.includes("/login/")) location.reload(); // logged out meanwhile
  heard = Date.now();
  show();
});
setInterval(show, 2000);
