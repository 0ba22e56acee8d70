import Cues
import Pretexts
import Tensors
import Testing

/// The residuals alone say what 12 trained networks of the paper found.
@Test func theResidualsPredictThePublishedMatrix() throws {
  let matrix = try ChiralityMatrix()
  #expect(matrix.cells.count == 12 && matrix.cells.count { $0.isChiral } == 8)
  for cell in matrix.cells {
    #expect(
      cell.predictsChirality == cell.isChiral, "\(cell.operation) \(cell.size.name): \(cell.residual.relative), glide \(cell.residual.relativeGlide ?? -1)")
  }
}

/// Malvar's filters reproduce what is constant or linear in all colours, away from the edge; by hand at one pixel.
@Test func demosaickingKeepsPlanesAndFollowsTheFilters() throws {
  let plane = Tensor<Float>([8, 10], (0..<80).map { Float($0 / 10) * 3 + Float($0 % 10) })
  let grey = try BayerMosaic.demosaic([plane, plane, plane])
  for colour in grey {
    for row in 2..<6 { for column in 2..<8 { #expect(abs(colour.elements[row * 10 + column] - plane.elements[row * 10 + column]) < 1e-4) } }
  }
  // One red pixel of 8 at (2,2) of a dark picture.
  var red = Tensor<Float>(repeating: 0, [7, 7])
  red.elements[2 * 7 + 2] = 8
  let black = Tensor<Float>(repeating: 0, [7, 7]), seen = try BayerMosaic.demosaic([red, black, black])
  #expect(seen[0].elements[2 * 7 + 2] == 8 && seen[1].elements[2 * 7 + 2] == 4 && seen[2].elements[2 * 7 + 2] == 6)
  // Its right neighbour is green in a red row: 4/8 of it is red there; two below it, −1/8 of it is green.
  #expect(seen[0].elements[2 * 7 + 3] == 4 && seen[1].elements[4 * 7 + 2] == -1 && seen[2].elements[3 * 7 + 3] == 0)
}
