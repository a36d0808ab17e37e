"""Unreadable: right, small and fast, with every kind of parcel written out by hand in one function."""


def settle(lines):
    loads, insured, pieces, returned, bills, default_insured, default_pieces = [], {}, {}, set(), {}, 5000, 1
    for line in lines:
        if line[0] == "l":
            loads.append(line.split()[1:])
        elif line[0] == "i":
            _, number, value = line.split()
            insured[int(number)] = int(value)
        elif line[0] == "p":
            _, number, value = line.split()
            pieces[int(number)] = int(value)
        elif line[0] == "r":
            returned.add(int(line.split()[1]))
        elif line[8] == "i":
            default_insured = int(line.split()[2])
        else:
            default_pieces = int(line.split()[2])
    number = 0
    for sender, origin, destination, service, handed_to, sizes in loads:
        if sender not in bills:
            bills[sender] = {}
        if (origin, destination) in bills[sender]:
            parcels, cents = bills[sender][origin, destination]
        else:
            parcels, cents = 0, 0
        if service == "express" and handed_to == "shop":
            for size in sizes:
                if size == "S":
                    price = 390 * pieces.get(number, default_pieces)
                    price += price // 2
                    price -= 60
                    if number in returned:
                        price += 195
                elif size == "M":
                    price = 490 * pieces.get(number, default_pieces)
                    price += price // 2
                    price -= 60
                    if number in returned:
                        price += 245
                elif size == "L":
                    price = 790 * pieces.get(number, default_pieces)
                    price += price // 2
                    price -= 60
                    if number in returned:
                        price += 395
                elif size == "X":
                    price = 1290 * pieces.get(number, default_pieces)
                    price += price // 2
                    price -= 60
                    if number in returned:
                        price += 645
                cents += price + insured.get(number, default_insured) // 200
                number += 1
        elif service == "express":
            for size in sizes:
                if size == "S":
                    price = 390 * pieces.get(number, default_pieces)
                    price += price // 2
                    if number in returned:
                        price += 195
                elif size == "M":
                    price = 490 * pieces.get(number, default_pieces)
                    price += price // 2
                    if number in returned:
                        price += 245
                elif size == "L":
                    price = 790 * pieces.get(number, default_pieces)
                    price += price // 2
                    if number in returned:
                        price += 395
                elif size == "X":
                    price = 1290 * pieces.get(number, default_pieces)
                    price += price // 2
                    if number in returned:
                        price += 645
                cents += price + insured.get(number, default_insured) // 200
                number += 1
        elif handed_to == "shop":
            for size in sizes:
                if size == "S":
                    price = 390 * pieces.get(number, default_pieces)
                    price -= 60
                    if number in returned:
                        price += 195
                elif size == "M":
                    price = 490 * pieces.get(number, default_pieces)
                    price -= 60
                    if number in returned:
                        price += 245
                elif size == "L":
                    price = 790 * pieces.get(number, default_pieces)
                    price -= 60
                    if number in returned:
                        price += 395
                elif size == "X":
                    price = 1290 * pieces.get(number, default_pieces)
                    price -= 60
                    if number in returned:
                        price += 645
                cents += price + insured.get(number, default_insured) // 200
                number += 1
        else:
            for size in sizes:
                if size == "S":
                    price = 390 * pieces.get(number, default_pieces)
                    if number in returned:
                        price += 195
                elif size == "M":
                    price = 490 * pieces.get(number, default_pieces)
                    if number in returned:
                        price += 245
                elif size == "L":
                    price = 790 * pieces.get(number, default_pieces)
                    if number in returned:
                        price += 395
                elif size == "X":
                    price = 1290 * pieces.get(number, default_pieces)
                    if number in returned:
                        price += 645
                cents += price + insured.get(number, default_insured) // 200
                number += 1
        bills[sender][origin, destination] = parcels + len(sizes), cents
    return bills
