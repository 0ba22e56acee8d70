import Evaluation
import Foundation
import Host
import Pretexts
import Tensors

/// The published matrix of low-level chirality: three operations at three sizes and under random crops, on noise that has no handedness.
/// Each cell is chance or nearly certain, and the residuals say which before anything is trained.
///
/// Source: Lin et al., "Visual Chirality", CVPR 2020, and the table in the README of linzhiqiu/digital_chirality.
public struct ChiralityMatrix: Codable, Sendable {
  public enum Operation: String, Codable, Sendable, CaseIterable {
    case demosaic, jpeg, both

    public var step: PipelineStep {
      switch self {
      case .demosaic: BayerMosaic.demosaic
      case .jpeg: .jpeg(quality: 25)
      case .both: .chained("demosaic, then JPEG at quality 25", [BayerMosaic.demosaic, .jpeg(quality: 25)])
      }
    }
  }

  /// What a picture is like before and after the operation.
  public struct Size: Codable, Hashable, Sendable {
    /// The side of the noise.
    public var side: Int
    /// The side of the crop; the whole picture where absent.
    public var crop: Int?
    /// A crop keeps this far from the edge.
    public var border = 16

    public init(_ side: Int, crop: Int? = nil) { (self.side, self.crop) = (side, crop) }
    public var name: String { crop.map { "\(side), random crops of \($0)" } ?? "\(side)" }
    /// The side that a network sees.
    public var seen: Int { crop ?? side }
  }

  public struct Cell: Codable, Sendable {
    public var operation: Operation
    public var size: Size
    /// Whether the published table has certainty here.
    public var isChiral: Bool
    public var residual: CommutationResidual
    /// What a trained network reaches on fresh noise; absent where none was trained.
    public var accuracy: Score?
    public var steps: Int?

    /// What the residuals say: shifts are there only where pictures are cropped.
    public var predictsChirality: Bool {
      (size.crop == nil ? residual.relative : min(residual.relative, residual.relativeGlide ?? .infinity)) > ChiralityMatrix.smallest
    }
    /// 50±2 for chance, at least 97 for certainty; `nil` where nothing was trained.
    public var agrees: Bool? { accuracy.map { isChiral ? $0.value >= 0.97 : abs($0.value - 0.5) <= 0.02 } }
  }

  public var cells: [Cell]

  /// Relative residuals below this were not learnt in the published table, whose smallest that was is 0.4. Colour JPEG at multiples of its
  /// blocks reaches 0.015, because libjpeg halves colour planes with a rounding that alternates from column to column: seen whole at 112
  /// pixels our network learns that, too.
  static let smallest = 0.1

  /// As published: 576 pixels and crops of 512.
  public static let publishedCrop = Size(576, crop: 512)
  /// The same phases of mosaic and blocks, since 160 and 576 are multiples of 16 and leave the crop the same room, at a tenth of the cost.
  public static let smallCrop = Size(160, crop: 96)
  /// 99, 100, 112 and crops.
  public static func sizes(crop: Size = smallCrop) -> [Size] { [Size(99), Size(100), Size(112), crop] }

  /// From the README's table: 50 or 99.
  static func published(_ operation: Operation, _ size: Size) -> Bool {
    switch operation {
    case .demosaic: size.crop == nil && size.side != 99
    case .jpeg: size.crop == nil && size.side != 112
    case .both: true
    }
  }

  /// All cells with their residuals; nothing is trained.
  public init(crop: Size = smallCrop, progress: ProgressHandler = { _ in }) throws {
    var cells: [Cell] = []
    let places = Operation.allCases.flatMap { operation in ChiralityMatrix.sizes(crop: crop).map { (operation, $0) } }
    for (index, (operation, size)) in places.enumerated() {
      progress(Progress("residuals", done: index, total: places.count, note: "\(operation.rawValue) \(size.name)"))
      // The glide residual is of the operation, not of the size: a small picture tells it.
      var residual = try CommutationResidual(of: operation.step, under: .mirror, height: size.side, width: size.side, planes: 3, frames: 1)
      if size.crop != nil {
        let glide = try CommutationResidual(of: operation.step, under: .mirror, height: 64, width: 160, planes: 3, frames: 1, measuringGlide: true)
        residual.glide = glide.glide
      }
      cells.append(Cell(operation: operation, size: size, isChiral: ChiralityMatrix.published(operation, size), residual: residual))
    }
    self.cells = cells
  }

  /// The matrix for a terminal.
  public var text: String {
    var text = "operation  size                      published  residual  glide     accuracy\n"
    for cell in cells {
      let name = cell.operation.rawValue + String(repeating: " ", count: 11 - cell.operation.rawValue.count)
      let size = cell.size.name + String(repeating: " ", count: max(1, 26 - cell.size.name.count))
      text += name + size + (cell.isChiral ? "99         " : "50         ") + String(format: "%-9.5f ", cell.residual.relative)
      text += cell.residual.relativeGlide.map { String(format: "%-9.5f ", $0) } ?? "          "
      text += cell.accuracy.map { "\($0)\(cell.agrees == true ? "" : "  DISAGREES")" } ?? ""
      text += cell.predictsChirality == cell.isChiral ? "\n" : "  RESIDUAL DISAGREES\n"
    }
    return text
  }
}
