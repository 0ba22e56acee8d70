import Foundation
import Networks
import Tensors

/// A Gaussian blur over what is measured: `Σ g·w·x / Σ g·w`. Gaps stay gaps, and lend nothing to their neighbours.
///
/// Independent noise of one size is added after it, whatever the blur, or the strength of the pixel noise would tell it. What remains:
/// pixel noise of the detector itself where it is stronger than that.
public struct Blur: GradedChange {
  public static let name = "blur"
  /// σ of the steps, pixels; 0 for none.
  public var sigmas = [0.0, 1.0, 2.0]
  /// σ of the added noise, in units of the scaled input.
  public var noise = 0.2

  public init() {}
  public init(sigmas: [Double], noise: Double) { (self.sigmas, self.noise) = (sigmas, noise) }

  public var changes: Set<Transformation> { [.blur, .noise] }
  public var levels: [String] { sigmas.map { $0 == 0 ? "sharp" : "blurred by \($0) pixels" } }

  public func validate() throws(SettingError) {
    try SettingError.require(sigmas.count > 1 && Set(sigmas).count == sigmas.count, "sigmas", "at least two different ones", sigmas)
    try SettingError.require(sigmas.allSatisfy { (0...32).contains($0) }, "sigmas", "each 0 to 32", sigmas)
    try SettingError.require(noise >= 0 && noise.isFinite, "noise", "0 or more", noise)
  }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let blurred = Blur.blurred(image, sigma: sigmas[level]), sigma = Float(noise * scaling.deviation), table = NormalTable.standard
    guard sigma > 0 else { return blurred }
    return blurred.changingMeasured { $1 + sigma * table[UInt16(truncatingIfNeeded: random.next())] }
  }

  /// Cost at 128×128 and σ = 2: about 1 ms.
  static func blurred(_ image: MaskedImage, sigma: Double) -> MaskedImage {
    guard sigma > 0 else { return image }
    let reach = Int((3 * sigma).rounded(.up)), kernel = (0...reach).map { Float(exp(-0.5 * pow(Double($0) / sigma, 2))) }
    let weight = image.weight.elements, values = zip(image.pixels.elements, weight).map { $0 * $1 }
    let above = smoothed(smoothed(values, image.height, image.width, kernel, along: 1), image.height, image.width, kernel, along: image.width)
    let below = smoothed(smoothed(weight, image.height, image.width, kernel, along: 1), image.height, image.width, kernel, along: image.width)
    return image.changingMeasured { index, _ in above[index] / below[index] }
  }

  /// Sums from the middle outwards, both sides at once, so that they commute with mirroring bit for bit.
  private static func smoothed(_ values: [Float], _ height: Int, _ width: Int, _ kernel: [Float], along step: Int) -> [Float] {
    var result = values
    let extent = step == 1 ? width : height
    for row in 0..<height {
      for column in 0..<width {
        let index = row * width + column, place = step == 1 ? column : row
        var sum = kernel[0] * values[index]
        for distance in 1..<kernel.count {
          let before = place >= distance ? values[index - distance * step] : 0
          let after = place + distance < extent ? values[index + distance * step] : 0
          sum += kernel[distance] * (before + after)
        }
        result[index] = sum
      }
    }
    return result
  }
}
