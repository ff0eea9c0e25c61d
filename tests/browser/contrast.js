// Every text whose colour is not far enough from what is behind it (WCAG 2.2, 1.4.3), as [text, ratio].
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return style.backgroundImage.match(/rgba?\([^)]*\)/g).map(rgba);
      const colour = rgba(style.backgroundColor);
      if (colour[3] === 255) return [colour];
    }
    return [[255, 255, 255, 255]];
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one.slice(0, 3)), luminance(other.slice(0, 3))].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const worst = Math.min(...behind(element).map((ground) => ratio(rgba(style.color), ground)));
    if (worst < (large ? 3 : 4.5)) poor.push([node.data.trim().slice(0, 40), Math.round(worst * 100) / 100]);
  }
  return poor;
}
