import Tensors

/// A picture of a corpus with what its record tells of it: what tasks and augmentations work on.
public struct Shot: Sendable {
  public var image: MaskedImage
  /// The index of the record's label among the classes, for tasks that ask for one.
  public var answer: Int?
  /// The way back from pixel values to the signal; `nil` where the corpus's tone map has none.
  public var signal: SignalScale?
  /// Which panel and chip each pixel of `image` shows, where something that `usesPanels` is asked for and the corpus knows it.
  public var panels: PanelMap?
  /// The shot next to it in its run, where a task or an augmentation asks for one.
  public var neighbour: Neighbour?

  /// Another picture of the same source, run and panel, with none of them in between.
  public struct Neighbour: Sendable {
    public var image: MaskedImage
    /// Whether it was taken after the shot itself.
    public var isLater: Bool
    public init(image: MaskedImage, isLater: Bool) { (self.image, self.isLater) = (image, isLater) }
  }

  public init(
    _ image: MaskedImage, answer: Int? = nil, signal: SignalScale? = nil, panels: PanelMap? = nil, neighbour: Neighbour? = nil
  ) {
    (self.image, self.answer, self.signal, self.panels, self.neighbour) = (image, answer, signal, panels, neighbour)
  }
}

extension Shot {
  /// The panel map for a picture that lies as the shot does. Traps where it is of another size.
  func panels(of image: MaskedImage) -> PanelMap? {
    precondition(panels == nil || panels?.shape == image.pixels.shape, "a panel map of another size than \(image.pixels.shape)")
    return panels
  }
}

/// Between pixel values, as a corpus stores them, and the signal in its unit: the tone map of the source, both ways.
public struct SignalScale: Sendable {
  /// ADU, photons, keV.
  public let unit: String
  /// Value -> signal.
  public let signal: @Sendable (Float) -> Float
  /// Signal -> value.
  public let value: @Sendable (Float) -> Float
  /// The detector pixels that a whole pixel of the picture is the mean of; `nil` where the corpus does not know.
  public let pixels: Double?

  public init(
    unit: String, pixels: Double? = nil, signal: @escaping @Sendable (Float) -> Float, value: @escaping @Sendable (Float) -> Float
  ) {
    (self.unit, self.pixels, self.signal, self.value) = (unit, pixels, signal, value)
  }
}

/// What a task or an augmentation must know of a shot besides its pixels. A corpus that cannot tell is refused before training.
public enum ShotNeed: String, Hashable, Sendable {
  /// `Shot.signal`
  case signal
  /// `Shot.neighbour`
  case neighbour
}
