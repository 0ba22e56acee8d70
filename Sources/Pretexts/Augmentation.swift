import Networks
import Tensors

/// A nuisance that every answer of a task meets alike, and that says what it changes.
///
/// It works on a picture in the units of the corpus, moves the mask with the pixels, and leaves weight 0 where the detector saw
/// nothing; the scaling turns that into gaps. A value of a conforming type is its settings and is stored in recipes.
public protocol Augmentation: Codable, Hashable, Sendable {
  /// The name in recipes: `photon-noise`.
  static var name: String { get }
  init()
  /// The symmetries of the square that it applies, besides none.
  var symmetries: Set<Symmetry> { get }
  /// What else it changes. No task in the same recipe may ask about it.
  var changes: Set<Transformation> { get }
  /// What it must know of a shot.
  var needs: Set<ShotNeed> { get }
  /// Whether it asks for `Shot.panels`, without which equal tiles stand for the detector's panels.
  static var usesPanels: Bool { get }
  /// Throws for settings that no run can have.
  func validate() throws(SettingError)
  /// Throws unless pictures of `side`×`side` can be changed.
  func validate(side: Int) throws(SettingError)
  /// The picture with the nuisance. Draws only from `random`. A pixel of weight 0 stays or becomes 0.
  func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage
}

extension Augmentation {
  public var symmetries: Set<Symmetry> { [] }
  public var needs: Set<ShotNeed> { [] }
  public static var usesPanels: Bool { false }
  /// Whether pixels move, so that a panel map of the picture no longer holds.
  package var movesPixels: Bool { !symmetries.isEmpty || changes.contains(.place) }
  public func validate() throws(SettingError) {}
  public func validate(side: Int) throws(SettingError) {}
}

extension MaskedImage {
  /// The picture with other values where it is measured at all; a pixel of weight 0 stays 0.
  @inline(__always)
  func changingMeasured(_ change: (_ index: Int, _ value: Float) -> Float) -> MaskedImage {
    var changed = self
    for i in changed.pixels.elements.indices where weight.elements[i] > 0 { changed.pixels.elements[i] = change(i, pixels.elements[i]) }
    return changed
  }
}

/// An augmentation of a few steps that a task can ask about as well: by which of them was the picture changed?
public protocol GradedChange: Augmentation {
  /// The steps, as answers; the first one is the least change.
  var levels: [String] { get }
  /// The smallest factor of the signal by which a picture at one step looks like one at the next; `nil` where no factor does that.
  var factorBetweenLevels: Double? { get }
  /// The picture at step `level`. Every step resamples alike, and draws what answers the question last.
  func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage
}

extension GradedChange {
  public var factorBetweenLevels: Double? { nil }

  /// Any of the steps, drawn evenly.
  public func augmented(_ image: MaskedImage, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let level = Int.random(in: 0..<levels.count, using: &random)
    return changed(image, to: level, of: shot, scaling: scaling, using: &random)
  }
}
