// The webcam as a source of photos: a picture is taken from the live one, put into the field for a file, and goes on from
// there as a chosen file does. The live picture is shown as in a mirror; the photo is not mirrored.
{
  const MAX_INPUT_SIDE = 1600;
  const SHAPE = 3 / 4;
  const QUALITY = 0.92;
  const WANTED = { video: { facingMode: "user", width: { ideal: 1920 }, height: { ideal: 1440 } }, audio: false };
  const PROBLEMS = {
    NotAllowedError: "refused",
    SecurityError: "refused",
    NotFoundError: "none",
    OverconstrainedError: "none",
  };

  const dialog = document.getElementById("webcam");
  const live = document.getElementById("webcam-live");
  const take = document.getElementById("webcam-take");
  const problem = document.getElementById("webcam-problem");
  let stream = null;

  const say = (what) => {
    problem.hidden = !what;
    problem.textContent = what ? dialog.dataset[what] : "";
  };

  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    live.srcObject = null;
    take.disabled = true;
  };

  const fail = (what) => {
    stop();
    say(what);
  };

  const open = async () => {
    say("");
    dialog.showModal();
    if (!navigator.mediaDevices?.getUserMedia) return fail("insecure");
    try {
      const opened = await navigator.mediaDevices.getUserMedia(WANTED);
      // The window may have been closed while the browser asked for permission.
      if (!dialog.open) return opened.getTracks().forEach((track) => track.stop());
      stop();
      stream = opened;
      stream.getVideoTracks()[0].addEventListener("ended", () => fail("ended"));
      live.srcObject = stream;
      await live.play();
      take.disabled = false;
      take.focus();
    } catch (error) {
      if (dialog.open) fail(PROBLEMS[error.name] ?? "busy");
    }
  };

  // What the frame shows: the middle of the picture, 3:4.
  const drawn = () => {
    const width = Math.min(live.videoWidth, live.videoHeight * SHAPE);
    const height = width / SHAPE;
    const scale = Math.min(1, MAX_INPUT_SIDE / height);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const left = (live.videoWidth - width) / 2;
    const top = (live.videoHeight - height) / 2;
    canvas.getContext("2d").drawImage(live, left, top, width, height, 0, 0, canvas.width, canvas.height);
    return canvas;
  };

  const choose = (picture) => {
    const chosen = new DataTransfer();
    chosen.items.add(new File([picture], "webcam.jpg", { type: "image/jpeg" }));
    const field = document.getElementById("photo");
    field.files = chosen.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };

  // The field and its button are new after each answer about a photo.
  const offer = () => document.getElementById("webcam-open")?.removeAttribute("hidden");
  document.addEventListener("click", (event) => {
    if (event.target.closest("#webcam-open")) open();
  });
  const leave = () => {
    stop();
    dialog.close();
  };
  take.addEventListener("click", () => {
    const canvas = drawn();
    stop();
    canvas.toBlob((picture) => {
      leave();
      choose(picture);
    }, "image/jpeg", QUALITY);
  });
  document.getElementById("webcam-cancel").addEventListener("click", leave);
  addEventListener("pagehide", leave);
  // By Escape.
  dialog.addEventListener("close", stop);
  document.addEventListener("htmx:after:swap", offer);
  offer();
}
