import Foundation
import Graphs
import Networks
import Tensors

/// By which step was this picture changed? The question to any `GradedChange`.
///
/// The change comes first and jitter last, alike for all steps. Validation asks about every picture at every step, without jitter: where the
/// strength of noise is asked about, noise in the jitter would be part of every answer that is learnt, and missing when it is asked for.
public struct GradedQuestion<Change: GradedChange>: PretextTask {
  /// The change's own: what is a nuisance in one recipe is the question of another.
  public static var name: String { Change.name }
  public var change = Change()
  public var jitter = Jitter()

  public init() { self.init(Change()) }
  /// - Parameter jitter: where left out the usual one, without noise where noise is asked about.
  public init(_ change: Change, jitter: Jitter? = nil) {
    self.change = change
    self.jitter = jitter ?? Jitter()
    if jitter == nil, change.changes.contains(.noise) { self.jitter.noise = 0 }
  }

  public var asks: Set<Transformation> { change.changes }
  public var jitters: Set<Transformation> { jitter.noise > 0 ? [.noise] : [] }
  public var needs: Set<ShotNeed> { change.needs }
  public var usesPanels: Bool { Change.usesPanels }
  public var variants: Int { change.levels.count }

  public func validate() throws(SettingError) {
    do { try change.validate() } catch { throw SettingError(key: "change.\(error.key)", expected: error.expected, found: error.found) }
    try jitter.validate()
    if let factor = change.factorBetweenLevels {
      try SettingError.require(
        jitter.intensity <= log(factor) / 2, "jitter.intensity",
        String(format: "at most %.2f, so that two standard deviations stay below the factor %.3g between neighbouring answers", log(factor) / 2, factor),
        jitter.intensity)
    }
  }

  public func validate(side: Int) throws(SettingError) { try change.validate(side: side) }

  public func classes(labels: [String]) -> [String] { change.levels }

  public func fields(side: Int, classes: Int) -> [String: Shape] { ["view": [1, side, side], "level": [change.levels.count]] }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let level = context.answer(of: change.levels.count, using: &random)
    let changed = change.changed(shot.image, to: level, of: shot, scaling: context.scaling, using: &random)
    context.write(changed, of: shot, panels: shot.panels, jitter, to: &batch, "view", place, using: &random)
    batch.writeOneHot("level", place, answer: level)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    Objective(classifying: backbone.encoding(of: batch["view"]!, in: scope["backbone"]), batch, target: "level", in: scope)
  }
}
