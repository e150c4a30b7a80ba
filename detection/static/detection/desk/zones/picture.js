// The camera's picture below the zones: the first address that gives one, else an empty grid.

export function showPicture(addresses, board, shown) {
  const image = document.getElementById("zone-picture");
  const none = document.getElementById("zone-no-picture");
  const waiting = [...addresses];
  const next = () => {
    const address = waiting.shift();
    image.hidden = true;
    none.hidden = Boolean(address);
    if (address) image.src = address;
  };
  image.addEventListener("load", () => {
    image.hidden = false;
    board.shape(image.naturalWidth / image.naturalHeight);
    document.getElementById("zone-sheet").style.setProperty("--aspect", image.naturalWidth / image.naturalHeight);
    shown();
  });
  image.addEventListener("error", next);
  next();
}
