import Graphs
import Host
import Networks
import Tensors

/// By which symmetry of the square was this picture turned? Quarter turns after Gidaris, Singh and Komodakis, ICLR 2018; all eight
/// elements of D4; or only whether rows and columns were exchanged.
///
/// Pictures are turned by moving pixels, never by sampling, and everything else comes after. A pixel is shown only where its images
/// under the whole group are measured. Answers are numbered by `Kind.elements`, and all algebra is `Symmetry`'s. What the detector
/// does along rows or columns by itself (readout noise, streaks) answers quarter turns and transposition without a photon.
///
/// Validation asks about every picture in all versions.
public struct WhichSymmetry: PretextTask {
  public enum Kind: String, NamedChoice, Hashable, Sendable {
    case rotations
    case square
    case transposition

    /// In the order of the answers.
    public var elements: [Symmetry] {
      switch self {
      case .rotations: Symmetry.rotations
      case .square: Symmetry.rotations + Symmetry.rotations.map { Symmetry.mirror.followed(by: $0) }
      case .transposition: [.identity, .transposition]
      }
    }
  }

  public static let name = "symmetry"
  public var group = Kind.rotations
  public var showsOneSidedPixels = false
  public var jitter = Jitter()

  public init() {}
  public init(_ group: Kind, showsOneSidedPixels: Bool = false, jitter: Jitter = Jitter()) {
    (self.group, self.showsOneSidedPixels, self.jitter) = (group, showsOneSidedPixels, jitter)
  }

  public var answers: [Symmetry] { group.elements }
  public var variants: Int { answers.count }

  public func validate() throws(SettingError) { try jitter.validate() }

  public func classes(labels: [String]) -> [String] {
    switch group {
    case .rotations: WhichSymmetry.turns
    case .square: WhichSymmetry.turns + WhichSymmetry.turns.map { "mirrored, \($0)" }
    case .transposition: ["as recorded", "transposed"]
    }
  }

  static let turns = ["upright", "quarter turn left", "half turn", "quarter turn right"]

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "symmetry": [answers.count]] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    precondition(shot.image.height == shot.image.width, "quarter turns need squares, got \(shot.image.pixels.shape)")
    let answer = context.answer(of: answers.count, using: &random)
    var image = answers[answer](shot.image)
    if !showsOneSidedPixels {
      image = image.showingOnlyPixelsMeasured(underAll: answers, minimumWeight: context.scaling.minimumWeight)
    }
    // As for flips.
    let panels = PanelMap.turned(shot.panels, byAnyOf: answers, using: &random)
    context.write(image, of: shot, panels: panels, jitter, to: &batch, "view", place, using: &random)
    batch.writeOneHot("symmetry", place, answer: answer)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    Objective(classifying: backbone.encoding(of: batch["view"]!, in: scope["backbone"]), batch, target: "symmetry", in: scope)
  }
}
