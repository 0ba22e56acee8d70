import Tensors

/// How examples are made in a run, whatever the task asks.
public struct ExampleContext: Sendable {
  public let scaling: InputScaling
  /// Whether nuisances are added; `false` for the fixed examples of validation.
  public let isAugmenting: Bool
  /// The recipe's, in order.
  public let augmentations: [any Augmentation]
  /// Which of its answers a fixed example shows, see `PretextTask.variants`; `nil` to draw one.
  public let variant: Int?

  public init(scaling: InputScaling, isAugmenting: Bool, augmentations: [any Augmentation] = [], variant: Int? = nil) {
    (self.scaling, self.isAugmenting, self.augmentations, self.variant) = (scaling, isAugmenting, augmentations, variant)
  }

  /// One of `count` answers: the one that a fixed example shows, or drawn evenly. Draws either way, so that the two versions of a
  /// picture are alike in everything else.
  public func answer(of count: Int, using random: inout Philox) -> Int {
    let drawn = count == 2 ? Int(random.next() & 1) : Int.random(in: 0..<count, using: &random)
    return variant.map { $0 % count } ?? drawn
  }

  /// The picture after the recipe's augmentations: the last thing that happens to it in its own units. What the task asks about has
  /// happened before, so that no augmentation can tell the answers apart.
  ///
  /// - Parameter panels: the panel map of `image`: the shot's where pixels are in their places, `nil` where they are not (a piece, a
  ///   view) or where the outline of panels must not be drawn into the picture. Behind an augmentation that moves pixels it is not
  ///   known any more, so those that use panels come first in a recipe.
  public func augmented(_ image: MaskedImage, of shot: Shot, panels: PanelMap?, using random: inout Philox) -> MaskedImage {
    guard isAugmenting else { return image }
    var shot = shot, image = image
    shot.panels = panels
    for augmentation in augmentations {
      image = augmentation.augmented(image, of: shot, scaling: scaling, using: &random)
      if augmentation.movesPixels { shot.panels = nil }
    }
    return image
  }

  /// Writes the picture as a network sees it into field `name` of example `place`: augmented, scaled, gaps 0, jittered.
  public func write(
    _ image: MaskedImage, of shot: Shot, panels: PanelMap?, _ jitter: Jitter, to batch: inout ExampleBatch, _ name: String, _ place: Int,
    using random: inout Philox
  ) {
    let image = augmented(image, of: shot, panels: panels, using: &random)
    batch.write(name, place) { view in
      scaling.write(image, into: &view)
      guard isAugmenting else { return }
      scaling.mark(image, in: &view)
      jitter.apply(to: &view, height: image.height, width: image.width, using: &random)
    }
  }
}
