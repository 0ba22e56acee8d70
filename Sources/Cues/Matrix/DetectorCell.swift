import Corpora
import Evaluation
import Foundation
import Frames
import Host
import Pretexts
import Tensors

/// The matrix extended to detectors: does the outline of what a camera measures betray a mirrored frame, on noise and nothing else?
public struct DetectorCell: Codable, Sendable {
  public var name: String
  /// Intersection over union of the measured pixels with their mirror image, in a picture of `side`×`side`.
  public var overlap: Double
  public var side: Int
  /// Of masking noise by the outline.
  public var residual: CommutationResidual
  /// What a trained network reaches on fresh noise; absent where none was trained.
  public var accuracy: Score?
  public var steps: Int?
  private var measured: [Bool]

  /// Whether any pixel is measured whose mirror twin is not.
  public var isChiral: Bool { overlap < 1 }
  /// 50±2 for an outline without handedness, at least 97 for the others; `nil` where nothing was trained.
  public var agrees: Bool? { accuracy.map { isChiral ? $0.value >= 0.97 : abs($0.value - 0.5) <= 0.02 } }

  private enum CodingKeys: String, CodingKey { case name, overlap, side, residual, accuracy, steps, measured }

  /// Of full-size pixels, 1 where measured: reduced as a corpus reduces them.
  public init(_ name: String, measured weight: Tensor<Float>, side: Int = 65) throws {
    let whole = MaskedImage(pixels: weight, weight: weight)
    let small = Framing(sourceHeight: whole.height, sourceWidth: whole.width, height: side, width: side, fit: .inside).applied(to: whole)
    (self.name, self.side) = (name, side)
    measured = small.weight.elements.map { $0 >= 0.5 }
    overlap = MaskOnly.mirrorOverlap(small, minimumWeight: 0.5)
    let outline = Tensor(small.weight.shape, measured.map { $0 ? Float(1) : 0 })
    residual = try CommutationResidual(of: .outline(outline, "outline of \(name)"), under: .mirror, height: side, width: side, planes: 1, frames: 1)
  }

  /// A detector assembled by a geometry file of psana or CrystFEL.
  public init(_ name: String, geometry: DetectorGeometry, side: Int = 65) throws {
    let positions = try geometry.pixelPositions()
    let assembly = try Assembly(positions: positions, panelShape: positions.x.shape, path: geometry.path)
    try self.init(name, measured: assembly.footprint.map { Float($0) }, side: side)
  }

  /// One panel by itself, without any constant.
  public init(_ name: String, panelOf detector: any Detector.Type, rows: Int, columns: Int, side: Int = 65) throws {
    let frame = try detector.calibrate(Tensor(repeating: 0, [1, rows, columns]), CalibrationConstants(), path: name)
    try self.init(name, measured: frame.mask.reshaped(to: [rows, columns]).map { Float($0) }, side: side)
  }

  /// The detectors of the extended matrix: a CSPAD and a Jungfrau 4M at their nominal places, one CSPAD panel by itself, and the two
  /// cameras that measure their whole frame.
  public static func usual() throws -> [DetectorCell] {
    try [
      DetectorCell("cspad", geometry: .psana(.nominalCSPAD)),
      DetectorCell("cspad-panel", panelOf: CSPAD.self, rows: 185, columns: 388),
      DetectorCell("jungfrau-4m", geometry: .psana(.nominalJungfrau4M)),
      DetectorCell("timetool", measured: Tensor(repeating: 1, [1024, 1024])),
      DetectorCell("xtcav", measured: Tensor(repeating: 1, [1024, 1024])),
    ]
  }

  /// Trains a network on noise within the outline.
  public mutating func train(_ training: MatrixTraining, progress: ProgressHandler = { _ in }) throws {
    let (measured, side, name) = (measured, side, name)
    let found = try training.trained(name, training.steps, channels: 1, side: side, progress: progress) { random in
      let isMirrored = random.next() & 1 == 1
      var noise = random.keyed("noise of \(name)")
      // Away from 0, the value of gaps, as far as pictures with beam are.
      let pixels = noise.normals(side * side, 0.5, 1), shown = zip(pixels, measured).map { $1 ? $0 : 0 }
      let view = Tensor<Float>([side, side], shown)
      return ((isMirrored ? Symmetry.mirror(view) : view).reshaped(to: [1, side, side]), isMirrored)
    }
    (accuracy, steps) = (found.accuracy, found.steps)
  }

  /// A line for a terminal.
  public var text: String {
    let padded = name + String(repeating: " ", count: max(1, 16 - name.count))
    return padded + String(format: "overlap with its mirror image %.3f  residual %.5f  ", overlap, residual.relative) + (isChiral ? "has" : "has no")
      + " handedness" + (accuracy.map { "  \($0)\(agrees == true ? "" : "  DISAGREES")" } ?? "")
  }
}
