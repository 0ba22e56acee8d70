import Graphs
import Networks

/// Which shot of this run is it? Two views of one shot are to be found among views of other shots of the same run.
///
/// Shots of a run share pedestals, gains, geometry, background and sample; what tells them apart is what the pulse did. Where the other
/// pictures of a batch come from anywhere, the run alone tells nearly all of them apart, and nothing else need be learnt. So batches are
/// drawn from few runs. Views differ little in place, for what is asked may be a place, and much in noise, which a shot's two views share.
/// The loss is that of `SimCLR`.
public struct ShotIdentity: ViewPairTask {
  public static let name = "shot-identity"
  public var pair = ViewPair()
  public var temperature = 0.2
  /// Widths of the projection head.
  public var hidden = 256
  public var outputs = 64
  /// Runs that a batch is drawn from, about as many pictures of each.
  public var runs = 2

  public init() {
    pair.views.smallestArea = 0.8
    (pair.views.aspect, pair.views.rotation, pair.views.shear, pair.views.mirrors) = (1.05, 2, 0, false)
    pair.views.noise = 0.3
  }

  public var runsABatch: Int? { runs }

  private var contrast: SimCLR {
    var contrast = SimCLR()
    (contrast.pair, contrast.temperature, contrast.hidden, contrast.outputs) = (pair, temperature, hidden, outputs)
    return contrast
  }

  public func validate() throws(SettingError) {
    try contrast.validate()
    try SettingError.require((1...64).contains(runs), "runs", "1 to 64", runs)
    try SettingError.require(!pair.neighbour, "pair.neighbour", "false, since which shot it is is asked for", pair.neighbour)
    try SettingError.require(pair.frameChoice == nil, "pair.frames", "all frames: a handful has too few of a run", pair.frames.count)
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    contrast.objective(batch, backbone: backbone, in: scope)
  }
}
