// Where the picture comes from.

const video = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30, max: 60 } };

// canShare tells whether this browser can show a screen; if not, why.
export function canShare(source) {
  if (!globalThis.isSecureContext || !navigator.mediaDevices) {
    return "This browser shares a screen only with pages from https or from localhost.";
  }
  if (source !== "camera" && !navigator.mediaDevices.getDisplayMedia) {
    return "This browser cannot share its screen. You can watch.";
  }
  return "";
}

// pick lets the person choose what to share. The source "camera" is for devices
// without a screen to share, and for tests.
export function pick(source) {
  if (source === "camera") {
    return navigator.mediaDevices.getUserMedia({ video });
  }
  return navigator.mediaDevices.getDisplayMedia({ video, audio: true });
}

// explain says in a person's words why pick failed.
export function explain(err) {
  switch (err.name) {
    case "NotAllowedError":
      return "Nothing is shared: it was not allowed.";
    case "NotFoundError":
      return "There is nothing to share on this device.";
    case "NotReadableError":
      return "The system does not let the browser see that.";
    default:
      return `Nothing is shared: ${err.message}`;
  }
}
