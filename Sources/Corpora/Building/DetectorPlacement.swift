import Foundation
import Frames
import Host
import Tensors

/// Where one geometry puts the panels of a source, and so the pixels of its pictures.
struct DetectorPlacement: Sendable {
  /// For `view: assembled`.
  let projection: Projection?
  /// Panel (or -1 for an assembled picture) -> digest of its coordinates.
  private let digests: [Int: String]
  let coordinates: [String: DetectorCoordinates]

  init(_ geometry: DetectorGeometry, _ recipe: SourceRecipe, _ image: CorpusRecipe.ImageSize) throws(InputError) {
    let positions = try geometry.pixelPositions(), shape = positions.x.shape
    let recorded = recipe.view == .assembled ? try Assembly(positions: positions, panelShape: shape, path: geometry.path) : nil
    let assembly = recorded.map { assembly in recipe.symmetry.map { $0(assembly) } ?? assembly }
    let content = Checksum.sha256(Data(geometry.text.utf8))
    var digests: [Int: String] = [:], coordinates: [String: DetectorCoordinates] = [:]
    for panel in assembly == nil ? Array(0..<shape[0]) : [-1] {
      let how = "\(recipe.view.rawValue)/\(recipe.fit.rawValue)/\(image.height)/\(image.width)/\(panel)"
      let crop = recipe.crop.map { "/\($0.rows)/\($0.columns)" } ?? ""
      let centre = recipe.centre.map { "/centre \($0.name)" } ?? ""
      let turn = recipe.symmetry.map { "/\($0.keyword)" } ?? ""
      let digest = String(Checksum.sha256(Data("\(content)/\(how)\(crop)\(centre)\(turn)".utf8)).prefix(16))
      digests[panel] = digest
      if let assembly {
        coordinates[digest] = try DetectorPlacement.coordinates(of: assembly, image, recipe, path: geometry.path)
      } else {
        coordinates[digest] = try DetectorPlacement.coordinates(of: positions, panel: panel, recipe, image, path: geometry.path)
      }
    }
    projection = try assembly.map { assembly throws(InputError) in
      Projection(assembly, image, recipe.fit, centre: try recipe.centrePixel(in: assembly, path: geometry.path))
    }
    (self.digests, self.coordinates) = (digests, coordinates)
  }

  /// The digest of a picture's coordinates; a lone panel goes by -1, too.
  func digest(panel: Int) -> String { digests[panel] ?? digests[0] ?? "" }

  private static func coordinates(
    of assembly: Assembly, _ image: CorpusRecipe.ImageSize, _ recipe: SourceRecipe, path: String
  ) throws(InputError) -> DetectorCoordinates {
    let framing = Framing(
      sourceHeight: assembly.height, sourceWidth: assembly.width, height: image.height, width: image.width, fit: recipe.fit,
      centre: try recipe.centrePixel(in: assembly, path: path))
    return coordinates(image, framing, PanelPlaces(assembly, framing)) { row, column in
      assembly.location(row: row, column: column).map { ($0.panel, $0.xMM, $0.yMM) }
    }
  }

  private static func coordinates(
    of positions: PixelPositions, panel: Int, _ recipe: SourceRecipe, _ image: CorpusRecipe.ImageSize, path: String
  ) throws(InputError) -> DetectorCoordinates {
    let shape = positions.x.shape
    let part = try recipe.part(ofHeight: shape[1], width: shape[2], path: path)
    let framing = Framing(
      sourceHeight: part.rows.count, sourceWidth: part.columns.count, height: image.height, width: image.width,
      fit: recipe.fit, centre: try recipe.centrePixel(within: part.rows.count, part.columns.count, path: path))
    let places = PanelPlaces(panel: panel, of: shape, rows: part.rows, columns: part.columns, framing)
    return coordinates(image, framing, places) { row, column in
      let i = (panel * shape[1] + part.rows.lowerBound + row) * shape[2] + part.columns.lowerBound + column
      return (panel, positions.x.elements[i] / 1000, positions.y.elements[i] / 1000)
    }
  }

  private static func coordinates(
    _ image: CorpusRecipe.ImageSize, _ framing: Framing, _ places: PanelPlaces, _ location: (Int, Int) -> (panel: Int, x: Double, y: Double)?
  ) -> DetectorCoordinates {
    let shape: Shape = [image.height, image.width]
    var panel = Tensor<Int16>(repeating: -1, shape)
    var x = Tensor<Float>(repeating: 0, shape), y = x
    for row in 0..<image.height {
      for column in 0..<image.width {
        guard let source = framing.source(row: row, column: column), let at = location(source.row, source.column) else {
          continue
        }
        let i = row * image.width + column
        panel.elements[i] = Int16(at.panel)
        x.elements[i] = Float(at.x)
        y.elements[i] = Float(at.y)
      }
    }
    return DetectorCoordinates(panel: panel, x: x, y: y, places: places)
  }
}
