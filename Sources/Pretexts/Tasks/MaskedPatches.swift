import Graphs
import Networks
import Tensors

/// What do the hidden patches show? Reconstruction by a U-Net, whose encoder is the trunk. Source: Pathak et al., "Context encoders",
/// CVPR 2016; hidden patches of a grid after He et al., "Masked autoencoders are scalable vision learners", CVPR 2022.
///
/// Hidden patches are shown as gaps. The loss is the mean square over pixels that are hidden and measured, in units of the scaled input. An
/// answer counts as right where it leaves less than `unexplained` of the variance of the hidden pixels.
public struct MaskedPatches: PretextTask {
  public static let name = "masked-patches"
  /// Side of a patch, pixels.
  public var patch = 8
  /// Share of the patches that are hidden.
  public var share = 0.5
  public var unexplained = 0.5
  public var jitter = Jitter()

  public init() {}

  public var asks: Set<Transformation> { [.mask] }
  public var smallestSide: Int { 2 * patch }

  public func validate() throws(SettingError) {
    try SettingError.require((1...256).contains(patch), "patch", "1 to 256", patch)
    try SettingError.require(share > 0 && share < 1, "share", "above 0, below 1", share)
    try SettingError.require(unexplained > 0 && unexplained < 1, "unexplained", "above 0, below 1", unexplained)
    try jitter.validate()
  }

  public func validate(backbone: any Backbone) throws(SettingError) {
    try SettingError.require(backbone is UNet, "backbone.name", "\(UNet.name), which answers for every pixel", type(of: backbone).name)
  }

  public func classes(labels: [String]) -> [String] { ["explained", "not explained"] }
  public func chance(batch: Int) -> (share: Double, rule: String)? { (0, "the mean of the hidden pixels explains nothing of their variance") }

  public func fields(side: Int, classes: Int) -> [String: Shape] {
    ["view": [1, side, side], "picture": [1, side, side], "judged": [1, side, side]]
  }

  public func makeExample(from shot: Shot, in context: ExampleContext, using random: inout Philox, into batch: inout ExampleBatch, at place: Int) {
    let image = shot.image, width = image.width, across = (width + patch - 1) / patch, down = (image.height + patch - 1) / patch
    let count = max(1, Int((share * Double(across * down)).rounded()))
    let hidden = Set(Array(0..<across * down).shuffled(using: &random).prefix(count))
    var scaled = [Float](repeating: 0, count: image.pixels.elements.count)
    context.write(image, of: shot, panels: shot.panels, jitter, to: &batch, "picture", place, using: &random)
    batch.write("picture", place) { picture in for i in picture.indices { scaled[i] = picture[i] } }
    func isHidden(_ index: Int) -> Bool { hidden.contains(index / width / patch * across + index % width / patch) }
    batch.write("view", place) { view in for i in view.indices { view[i] = isHidden(i) ? 0 : scaled[i] } }
    batch.write("judged", place) { judged in for i in judged.indices { judged[i] = isHidden(i) && scaled[i] != 0 ? 1 : 0 } }
  }

  public func objective(_ batch: [String: Value], backbone: some Backbone, in scope: Scope) -> Objective {
    guard let network = backbone as? UNet else { preconditionFailure("masked-patches needs \(UNet.name), got \(type(of: backbone).name)") }
    let picture = batch["picture"]!
    let answer = network.prediction(of: batch["view"]!, in: scope["backbone"], decoderIn: scope["head"]), error = answer - picture
    return Objective(
      loss: (error * error).mean(over: batch["judged"]!),
      judged: [(Question(rule: .explaining(1 - unexplained, within: "judged"), target: "picture"), answer)])
  }
}
